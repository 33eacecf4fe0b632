/** Widgets of the kernel, shown by the widget manager that the notebook or this page has for it. */
import { MimeModel, type IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookModel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import type { Mounted } from '../core/services';
import { WIDGET_MIME } from './names';
import { detach } from './outputs';
import type { Host, Place } from './place';
import { showWidget } from './widgetView';

/** Show a widget by its model id; null: there is no widget manager. */
export async function mountWidget(
  host: Host,
  place: Place,
  element: HTMLElement,
  id: string
): Promise<Mounted<void> | null> {
  const registry =
    place.notebook?.content.rendermime ?? (await widgetsOf(host.rendermime, place.kernel()));
  if (!registry?.getFactory(WIDGET_MIME)) {
    return null;
  }
  const renderer = registry.createRenderer(WIDGET_MIME);
  const data = { [WIDGET_MIME]: { model_id: id, version_major: 2, version_minor: 0 } };
  Widget.attach(renderer, element);
  await showWidget(renderer, new MimeModel({ data, trusted: true }));
  return { update: () => undefined, dispose: () => detach(renderer) };
}

/** Registries whose widget managers belong to kernels, by kernel; they last as long as the page. */
const registries = new Map<string, Promise<IRenderMimeRegistry | null>>();

/**
 * The registry that shows the widgets of a kernel without a notebook. It is made as soon as a flow
 * joins the kernel, so that a notebook that joins later finds the manager and shares it.
 */
export function widgetsOf(
  rendermime: IRenderMimeRegistry,
  kernel: Kernel.IKernelConnection | null
): Promise<IRenderMimeRegistry | null> {
  if (!kernel) {
    return Promise.resolve(null);
  }
  const known = registries.get(kernel.id) ?? makeRegistry(rendermime, kernel);
  registries.set(kernel.id, known);
  return known;
}

async function makeRegistry(
  rendermime: IRenderMimeRegistry,
  kernel: Kernel.IKernelConnection
): Promise<IRenderMimeRegistry | null> {
  try {
    const manager = await import('@jupyter-widgets/jupyterlab-manager');
    const registry = rendermime.clone();
    manager.registerWidgetManager(kernelContext(kernel), registry, [][Symbol.iterator]());
    await kernel.info;
    return registry;
  } catch {
    return null; // ipywidgets is not installed in the server
  }
}

/** As much of a notebook's context as a widget manager asks for, without a notebook. */
function kernelContext(
  kernel: Kernel.IKernelConnection
): DocumentRegistry.IContext<INotebookModel> {
  // The document's own connection goes when the document closes; widgets of its kernel stay. Where
  // it leaves comms to a notebook's connection, the notebook's manager is found and this goes unused.
  const connection = kernel.handleComms ? kernel.clone({ handleComms: true }) : kernel;
  kernel.registerCommTarget('jupyter.widget', () => undefined);
  const sessionContext = {
    session: { kernel: connection },
    ready: Promise.resolve(),
    kernelChanged: new Signal({}),
    statusChanged: new Signal({}),
    connectionStatusChanged: new Signal({})
  };
  connection.statusChanged.connect((_, status) => sessionContext.statusChanged.emit(status));
  connection.connectionStatusChanged.connect((_, status) =>
    sessionContext.connectionStatusChanged.emit(status)
  );
  const nothing = { getMetadata: () => undefined, dirty: false };
  return {
    sessionContext,
    model: nothing,
    saveState: new Signal({}),
    urlResolver: { resolveUrl: (url: string) => Promise.resolve(url) }
  } as unknown as DocumentRegistry.IContext<INotebookModel>;
}
