/** The extension of JupyterLab and Notebook. */
import { chat } from './chat';
import { plugins } from './documents';
import { menus } from './menus';
import { notebookTools } from './notebookTools';
import { production } from './production';

export default [...plugins, chat, menus, notebookTools, production];
