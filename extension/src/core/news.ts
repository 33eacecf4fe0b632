/** What is said aloud of a run: its beginning and its end. Single nodes would never be silent. */
import { isActive } from './commands/going';
import { duration } from './format';
import type { Trans } from './i18n';
import type { RunInfo } from './protocol';

/**
 * The news between two states of the run; "" when there are none. A run that ended before `since`
 * (epoch seconds), when nobody listened yet, is none.
 */
export function runNews(trans: Trans, before: RunInfo, run: RunInfo, since: number): string {
  const isOther = before.run_id !== run.run_id;
  if (isActive(run.state)) {
    return isOther || !isActive(before.state) ? trans('Run started.') : '';
  }
  const end = run.ended_at ?? since;
  if (run.state === null || !(isActive(before.state) || (isOther && end >= since))) {
    return '';
  }
  const time = duration(end - (run.started_at ?? end));
  const words: Record<string, string> = {
    completed: trans('Run completed in {time}.', { time }),
    failed: trans('Run failed after {time}.', { time }),
    cancelled: trans('Run stopped after {time}.', { time })
  };
  return words[run.state] ?? '';
}
