/** Running the flow, or parts of it. */
import { translatorOf } from '../attempt';
import type { Controller } from '../controller';
import type { RunMode } from '../protocol';
import type { Command } from './command';
import { isActive, runState } from './going';
import { chosenNodes } from './selected';
import { whyNoKernel, whyNoRun, whyTooFew } from './why';

/** Parts are named by nodes of the outermost flow: a nested one runs with the node that holds it. */
function chosenParts(controller: Controller): string[] {
  const outer = controller.view.get().scope[0]?.[0];
  return outer === undefined ? chosenNodes(controller) : [outer];
}

export function runCommands(controller: Controller): Command[] {
  const trans = translatorOf(controller);
  const category = trans('Run');
  const whyNoPart = (): string =>
    whyNoRun(controller) || whyTooFew(controller, chosenParts(controller).length, 1);
  const whole = (
    id: string,
    label: string,
    mode: RunMode,
    keys: string[] = [],
    why = (): string => whyNoRun(controller)
  ): Command => ({
    id,
    label,
    category,
    keys,
    why,
    enabled: () => why() === '',
    run: () => controller.run(mode)
  });
  const part = (id: string, label: string, mode: RunMode, keys: string[]): Command => ({
    ...whole(id, label, mode, keys, whyNoPart),
    run: () => controller.run(mode, chosenParts(controller))
  });
  return [
    whole('run-all', trans('Run all'), 'all', ['Shift+Enter']),
    part('run-until', trans('Run to here'), 'until', ['Mod+Enter']),
    part('run-from', trans('Run from here'), 'from', ['Mod+Shift+Enter']),
    part('run-only', trans('Run only this'), 'only', ['Alt+Enter']),
    whole('retry', trans('Retry from failure'), 'retry', [], () => whyNoRetry(controller)),
    whole('fresh', trans('Run all without cache'), 'fresh'),
    {
      id: 'stop',
      label: trans('Stop'),
      category,
      keys: ['Mod+.'],
      enabled: () => whyNoKernel(controller) === '' && isActive(runState(controller)),
      run: () => controller.stop()
    },
    {
      id: 'clear-cache',
      label: trans('Clear cache'),
      category,
      keys: [],
      why: () => whyNoKernel(controller),
      enabled: () => whyNoKernel(controller) === '',
      run: () => clearCache(controller)
    }
  ];
}

function whyNoRetry(controller: Controller): string {
  const isBroken = ['failed', 'cancelled'].includes(runState(controller) ?? '');
  const nothing = translatorOf(controller)('No run has failed or was stopped.');
  return whyNoRun(controller) || (isBroken ? '' : nothing);
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
