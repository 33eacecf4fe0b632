/** The extension of JupyterLab and Notebook. */
import { plugins } from './documents';
import { menus } from './menus';
import { production } from './production';

export default [...plugins, menus, production];
