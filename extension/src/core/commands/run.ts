/** Running the flow, or parts of it. */
import { translatorOf } from '../attempt';
import type { Command } from '../commands';
import type { Controller } from '../controller';
import type { RunMode, RunState } from '../protocol';
import { chosenNodes } from './selected';

const ACTIVE: ReadonlySet<RunState> = new Set([
  'queued',
  'claimed',
  'running',
  'waiting',
  'retrying'
]);

/** Whether a run of this canvas is under way. */
export function isActive(state: RunState | null): boolean {
  return state !== null && ACTIVE.has(state);
}

/** State of the present run; null: none. */
export function runState(controller: Controller): RunState | null {
  return controller.link.get()?.runs.run.get().state ?? null;
}

function canRun(controller: Controller): boolean {
  return (
    controller.link.get()?.status.get() === 'ready' &&
    !isActive(runState(controller)) &&
    Object.keys(controller.document.flow.get().nodes).length > 0
  );
}

/** Parts are named by nodes of the outermost flow: a nested one runs with the node that holds it. */
function chosenParts(controller: Controller): string[] {
  const outer = controller.view.get().scope[0]?.[0];
  return outer === undefined ? chosenNodes(controller) : [outer];
}

export function runCommands(controller: Controller): Command[] {
  const trans = translatorOf(controller);
  const category = trans('Run');
  const whole = (id: string, label: string, mode: RunMode, keys: string[] = []): Command => ({
    id,
    label,
    category,
    keys,
    enabled: () => canRun(controller),
    run: () => controller.run(mode)
  });
  const part = (id: string, label: string, mode: RunMode, keys: string[] = []): Command => ({
    ...whole(id, label, mode, keys),
    enabled: () => canRun(controller) && chosenParts(controller).length > 0,
    run: () => controller.run(mode, chosenParts(controller))
  });
  return [
    whole('run-all', trans('Run all'), 'all', ['Shift+Enter']),
    part('run-until', trans('Run to here'), 'until', ['Mod+Enter']),
    part('run-from', trans('Run from here'), 'from', ['Mod+Shift+Enter']),
    part('run-only', trans('Run only this'), 'only', ['Alt+Enter']),
    {
      ...whole('retry', trans('Retry from failure'), 'retry'),
      enabled: () =>
        canRun(controller) && ['failed', 'cancelled'].includes(runState(controller) ?? '')
    },
    whole('fresh', trans('Run all without cache'), 'fresh'),
    {
      id: 'stop',
      label: trans('Stop'),
      category,
      keys: ['Mod+.'],
      enabled: () => isActive(runState(controller)),
      run: () => controller.stop()
    },
    {
      id: 'clear-cache',
      label: trans('Clear cache'),
      category,
      keys: [],
      enabled: () => controller.link.get()?.status.get() === 'ready',
      run: () => clearCache(controller)
    }
  ];
}

async function clearCache(controller: Controller): Promise<void> {
  const nodes = chosenParts(controller);
  const result = await controller.attempt(
    async () => controller.link.get()?.request('clear_cache', { nodes }) ?? null
  );
  if (result) {
    const trans = translatorOf(controller);
    controller.services.notify(
      trans('Stored results that were removed: {count}', { count: result.cleared }),
      'success'
    );
  }
}
