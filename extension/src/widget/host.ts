/** What the page around a widget lends to it. */
import type { Mounted, Services } from '../core/services';
import { plainServices } from '../plain';
import { bridgedServices } from './bridge';
import type { WidgetModel } from './model';

/** The services of JupyterLab where our extension is installed, else our own plain ones. */
export async function servicesFor(element: HTMLElement, model: WidgetModel): Promise<Services> {
  const bridged = await bridgedServices(element);
  const mount = (target: HTMLElement, id: string): ReturnType<typeof mountWidget> =>
    mountWidget(model, target, id);
  return bridged ?? plainServices({ place: element, mountWidget: mount });
}

interface View {
  readonly el?: HTMLElement;
  readonly luminoWidget?: { readonly node: HTMLElement; dispose(): void };
  remove?(): void;
}

/** The manager of the Jupyter widgets' own front end; others differ or have none. */
interface Manager {
  get_model?(id: string): Promise<unknown>;
  create_view?(model: unknown, options?: object): Promise<View>;
}

async function mountWidget(
  model: WidgetModel,
  element: HTMLElement,
  id: string
): Promise<Mounted<void> | null> {
  const manager = model.widget_manager as Manager | undefined;
  if (!manager?.get_model || !manager.create_view) {
    return null;
  }
  const view = await manager.create_view(await manager.get_model(id), {});
  const node = view.luminoWidget?.node ?? view.el;
  if (!node) {
    return null;
  }
  element.append(node);
  return {
    update: () => undefined,
    dispose: () => {
      view.remove?.();
      node.remove();
    }
  };
}
