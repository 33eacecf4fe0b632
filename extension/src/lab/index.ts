/** The extension of JupyterLab and Notebook. */
import { plugins } from './documents';
import { menus } from './menus';

export default [...plugins, menus];
