/** Whether a run of a canvas is under way. */
import type { Controller } from '../controller';
import type { RunState } from '../protocol';

const ACTIVE: ReadonlySet<RunState> = new Set([
  'queued',
  'claimed',
  'running',
  'waiting',
  'retrying'
]);

export function isActive(state: RunState | null): boolean {
  return state !== null && ACTIVE.has(state);
}

/** State of the present run; null: none. */
export function runState(controller: Controller): RunState | null {
  return controller.link.get()?.runs.run.get().state ?? null;
}
