/** The canvas in a cell's output: an anywidget module. */
import './yjs';
import '@xyflow/react/dist/style.css';
import '../canvas/style/variables.css';
import '../canvas/style/surface.css';
import '../canvas/style/chrome.css';
import '../canvas/style/outputs.css';
import '../canvas/style/agent.css';
import '../plain/plain.css';
import './widget.css';
import { keepKeys } from '../canvas/keys';
import { mountCanvas } from '../canvas/mount';
import { Controller } from '../core/controller';
import type { Store } from '../core/store';
import { mountBars } from './bars';
import { servicesFor } from './host';
import { textOf, type WidgetModel } from './model';
import { openSession, sessionFor, type WidgetSession } from './session';

interface Context {
  readonly model: WidgetModel;
}

interface ViewContext extends Context {
  readonly el: HTMLElement;
}

/** Once for each widget, before its first view. */
function initialize({ model }: Context): () => void {
  return openSession(model);
}

/** Once for each view of a widget; returns what removes the view. */
async function render({ model, el }: ViewContext): Promise<() => void> {
  const { session, release } = sessionFor(model);
  const root = document.createElement('div');
  root.className = 'iai-root iai-widget';
  el.append(root);
  const services = await servicesFor(root, model);
  const bars = document.createElement('div');
  bars.className = 'iai-bars';
  const canvas = document.createElement('div');
  canvas.className = 'iai-widget-canvas';
  root.append(bars, canvas);
  const controller = new Controller({
    document: session.document,
    services,
    builtin: session.catalog.get(),
    mode: textOf(model, 'path') ? 'file' : 'code'
  });
  const mounted = mountCanvas(canvas, controller, { compact: true });
  const ends = [
    follow(session, controller),
    mountBars(bars, session, services),
    keepKeys(bars),
    keepHeight(model, root),
    sendOnLeaving(session, root),
    () => mounted.dispose()
  ];
  tellHost(model, services.kind);
  return () => {
    ends.forEach(end => end());
    root.remove();
    release();
  };
}

/** Give a view what its widget knows, as long as the view lasts. */
function follow(session: WidgetSession, controller: Controller): () => void {
  const mirror = <T>(from: Store<T>, to: Store<T>): (() => void) => {
    to.set(from.get());
    return from.subscribe(() => to.set(from.get()));
  };
  const ends = [
    mirror(session.catalog, controller.catalog),
    mirror(session.problems, controller.problems)
  ];
  controller.link.set(session.link);
  return () => {
    ends.forEach(end => end());
    controller.link.set(null);
  };
}

function keepHeight(model: WidgetModel, root: HTMLElement): () => void {
  const show = (): void => {
    root.style.height = `${Number(model.get('height')) || 480}px`;
  };
  show();
  model.on('change:height', show);
  return () => model.off('change:height', show);
}

/** Whoever turns to a cell finds the edits in the kernel, e.g. when it is executed again. */
function sendOnLeaving({ sync }: WidgetSession, root: HTMLElement): () => void {
  const send = (): void => void sync.flush();
  root.addEventListener('focusout', send);
  return () => root.removeEventListener('focusout', send);
}

/** The kernel may write an output anew only where that does not draw the canvas anew. */
function tellHost(model: WidgetModel, host: string): void {
  if (model.get('host') !== host) {
    model.set('host', host);
    model.save_changes();
  }
}

export default { initialize, render };
