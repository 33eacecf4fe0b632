/** What a canvas showed when it was closed, by document: its place, its panels, what was selected. */
import type { IStateDB } from '@jupyterlab/statedb';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Controller, Panel, Viewport } from '../core/controller';
import type { Scope } from '../core/flow';
import { bodyOf, flowAt } from '../core/scope';

const PANELS: readonly Panel[] = ['palette', 'inspector', 'timeline', 'history', 'problems'];
/** Milliseconds that changes are collected before they are stored. */
const PAUSE = 500;

/** As it is stored; it may have been written by another version. */
interface Kept {
  readonly panels: readonly Panel[];
  readonly scope: Scope;
  readonly selection: readonly string[];
  readonly viewports: Readonly<Record<string, Viewport>>;
}

/** Bring back what was shown, and keep what is shown from now on; call the result to stop. */
export async function keepView(
  states: IStateDB | null,
  context: DocumentRegistry.Context,
  controller: Controller
): Promise<() => void> {
  if (!states) {
    return () => undefined;
  }
  // Keys that start with the tracker's name belong to the tracker.
  const key = (): string => `iaiflow-view:${context.path}`;
  restore(await states.fetch(key()).catch(() => undefined), controller);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const keep = (): void => {
    void states.save(key(), keptOf(controller) as unknown as ReadonlyPartialJSONObject);
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(keep, PAUSE);
  };
  const ends = [controller.view.subscribe(soon), controller.viewports.subscribe(soon)];
  return () => {
    clearTimeout(timer);
    ends.forEach(end => end());
    keep();
  };
}

export function keptOf({ view, viewports }: Pick<Controller, 'view' | 'viewports'>): Kept {
  const { panels, scope, selection } = view.get();
  return {
    panels: [...panels],
    scope,
    selection: [...selection],
    viewports: Object.fromEntries(viewports.get())
  };
}

/** Take over what was stored, as far as it still makes sense. */
export function restore(found: unknown, controller: Controller): void {
  const { panels, scope, selection, viewports } = (found ?? {}) as Partial<Kept>;
  if (Array.isArray(panels)) {
    // In the order in which they were opened: the last of each side is in front.
    controller.look({ panels: new Set(panels.filter(panel => PANELS.includes(panel))) });
  }
  if (Array.isArray(scope) && exists(controller, scope)) {
    controller.look({ scope });
  }
  if (Array.isArray(selection)) {
    const { nodes } = controller.flow;
    controller.select(selection.filter(id => Object.hasOwn(nodes, id)));
  }
  if (typeof viewports === 'object' && viewports !== null) {
    controller.viewports.set(new Map(Object.entries(viewports).filter(([, at]) => isViewport(at))));
  }
}

function isViewport({ x, y, zoom }: Partial<Viewport>): boolean {
  return [x, y, zoom].every(Number.isFinite) && Number(zoom) > 0;
}

function exists(controller: Controller, scope: Scope): boolean {
  return scope.every(([id, field], depth) => {
    const node = flowAt(controller.document.flow.get(), scope.slice(0, depth)).nodes[id];
    const body = node && bodyOf(node, field);
    return typeof body === 'object' && body !== null;
  });
}
