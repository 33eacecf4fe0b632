/** The extension of JupyterLab and Notebook. */
export { default } from './documents';
