/** States, times and reasons as people read them. */
import type { RunSummary, Wait } from '../api/types';
import { askOf } from '../core/asks';
import { duration, moment } from '../core/format';
import type { Trans } from '../core/i18n';
import type { RunState } from '../core/protocol';
import { shorten, visible } from '../core/text';

export const GLYPHS: Readonly<Record<RunState, string>> = {
  draft: '✎',
  queued: '…',
  claimed: '◔',
  running: '◔',
  waiting: '◷',
  retrying: '↻',
  completed: '✓',
  failed: '✕',
  cancelled: '◼'
};

const ENDED: ReadonlySet<RunState> = new Set(['completed', 'failed', 'cancelled']);

export function isEnded({ state }: Pick<RunSummary, 'state'>): boolean {
  return ENDED.has(state);
}

/** A moment of the service in the reader's own time. */
export function when(iso: string, language: string): string {
  return moment(Date.parse(iso) / 1000, language);
}

export function took({ duration_s: seconds, started_at: started }: RunSummary): string {
  // the unit stays beside its number
  return seconds === null || started === null ? '' : duration(seconds).replaceAll(' ', '\u00a0');
}

/** What a run waits for, else why it is in its state; "" when there is nothing to say. */
export function reasonOf(run: RunSummary, trans: Trans, language: string): string {
  if (run.error) {
    return run.error.step ? `${run.error.step}: ${run.error.message}` : run.error.message;
  }
  const [wait] = openWaits(run);
  return wait ? `${wait.step}: ${waitText(wait, trans, language)}` : run.reason;
}

export function openWaits(run: RunSummary): readonly Wait[] {
  return isEnded(run) ? [] : run.waits.filter(wait => wait.answered_at === null);
}

/** Characters of a tool's name that are shown. */
const NAME = 120;

export function waitText(wait: Wait, trans: Trans, language: string): string {
  const ask = askOf(wait);
  if (ask) {
    return trans('May the agent call {tool}?', { tool: visible(shorten(ask.tool, NAME)) });
  }
  if (wait.message) {
    return wait.message;
  }
  if (wait.name) {
    return trans('Waits for {name}', { name: wait.name });
  }
  return wait.due
    ? trans('Until {moment}', { moment: when(wait.due, language) })
    : trans('Waiting');
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
