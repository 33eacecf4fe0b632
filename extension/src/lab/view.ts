/** What a canvas showed when it was closed, by document: panels and the open nested flow. */
import type { IStateDB } from '@jupyterlab/statedb';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Controller, Panel } from '../core/controller';
import type { Scope } from '../core/flow';
import { bodyOf, flowAt } from '../core/scope';

const PANELS: readonly Panel[] = ['palette', 'inspector', 'timeline', 'history', 'problems'];
/** Milliseconds that changes are collected before they are stored. */
const PAUSE = 500;

interface Kept {
  readonly panels: readonly Panel[];
  readonly scope: Scope;
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
    const { panels, scope } = controller.view.get();
    const kept: Kept = { panels: [...panels], scope };
    void states.save(key(), kept as unknown as ReadonlyPartialJSONObject);
  };
  const end = controller.view.subscribe(() => {
    clearTimeout(timer);
    timer = setTimeout(keep, PAUSE);
  });
  return () => {
    clearTimeout(timer);
    end();
    keep();
  };
}

function restore(found: unknown, controller: Controller): void {
  const { panels, scope } = (found ?? {}) as Partial<Kept>;
  if (Array.isArray(panels)) {
    controller.look({ panels: new Set(PANELS.filter(panel => panels.includes(panel))) });
  }
  if (Array.isArray(scope) && exists(controller, scope)) {
    controller.look({ scope });
  }
}

function exists(controller: Controller, scope: Scope): boolean {
  return scope.every(([id, field], depth) => {
    const node = flowAt(controller.document.flow.get(), scope.slice(0, depth)).nodes[id];
    const body = node && bodyOf(node, field);
    return typeof body === 'object' && body !== null;
  });
}
