/** The JupyterLab and Notebook extension: its plugins. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  {
    id: 'iaiflow-lab:documents',
    autoStart: true,
    activate: () => undefined
  }
];

export default plugins;
