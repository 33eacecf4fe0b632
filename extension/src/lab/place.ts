/** Where a canvas stands: in a notebook's output, or in a document of its own. */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { Kernel } from '@jupyterlab/services';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { ITranslator } from '@jupyterlab/translation';

/** What JupyterLab lends to every canvas. */
export interface Host {
  readonly app: JupyterFrontEnd;
  readonly translator: ITranslator;
  readonly rendermime: IRenderMimeRegistry;
  readonly editors: IEditorServices;
  readonly notebooks: INotebookTracker | null;
}

export interface Place {
  /** The notebook whose output holds the canvas; null: a document. */
  readonly notebook: NotebookPanel | null;
  /** Resolves links and pictures of Markdown. */
  readonly resolver: IRenderMime.IResolver | null;
  /** The document's path on the server. */
  path(): string;
  kernel(): Kernel.IKernelConnection | null;
}

/** The notebook that an element stands in. */
export function notebookOf(host: Host, element: Node): NotebookPanel | null {
  return host.notebooks?.find(panel => panel.node.contains(element)) ?? null;
}

/** The place of an element; it is looked up whenever it matters, for outputs enter the page late. */
export function placeOf(host: Host, element: Node): Place {
  const find = (): NotebookPanel | null => notebookOf(host, element);
  return {
    get notebook() {
      return find();
    },
    get resolver() {
      return find()?.context.urlResolver ?? null;
    },
    path: () => find()?.context.path ?? '',
    kernel: () => find()?.sessionContext.session?.kernel ?? null
  };
}
