/** Names of states and sources, for people. */
import type { Trans } from '../../core/i18n';
import type { RunState, StepState } from '../../core/protocol';

/** State of a run or of a step. */
export function stateText(trans: Trans, state: RunState | StepState): string {
  const words: Record<RunState | StepState, string> = {
    draft: trans('Draft'),
    queued: trans('Queued'),
    claimed: trans('Starting'),
    running: trans('Running'),
    waiting: trans('Waiting'),
    retrying: trans('Retrying'),
    completed: trans('Completed'),
    failed: trans('Failed'),
    cancelled: trans('Stopped'),
    pending: trans('Not run yet'),
    skipped: trans('Skipped')
  };
  return words[state];
}

/** Where an outcome came from. */
export function sourceText(trans: Trans, source: string): string {
  const words: Record<string, string> = {
    executed: trans('Executed'),
    cache: trans('From the cache'),
    pin: trans('Pinned'),
    replay: trans('Replayed'),
    earlier: trans('From an earlier run')
  };
  return words[source] ?? source;
}

/** A category of node types; those of other packs are called what their authors call them. */
export function categoryText(trans: Trans, category: string): string {
  const words: Record<string, string> = {
    Code: trans('Code'),
    Control: trans('Control'),
    Custom: trans('Custom'),
    Files: trans('Files'),
    Memory: trans('Memory'),
    Tables: trans('Tables'),
    Text: trans('Text'),
    Web: trans('Web')
  };
  return Object.hasOwn(words, category) ? (words[category] ?? category) : category;
}
