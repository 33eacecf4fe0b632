/** What is said aloud of a run: its beginning and its end. Single nodes would never be silent. */
import { isActive } from './commands/run';
import { duration } from './format';
import type { Trans } from './i18n';
import type { RunInfo } from './protocol';

/** The news between two states of the run; "" when there are none. */
export function runNews(trans: Trans, before: RunInfo, run: RunInfo): string {
  const isOther = before.run_id !== run.run_id;
  if (isActive(run.state)) {
    return isOther || !isActive(before.state) ? trans('Run started.') : '';
  }
  // The first that is heard of a run that had ended before this canvas was opened is not news.
  if (run.state === null || !(isActive(before.state) || (isOther && before.run_id !== ''))) {
    return '';
  }
  const time = duration((run.ended_at ?? 0) - (run.started_at ?? 0));
  const words: Record<string, string> = {
    completed: trans('Run completed in {time}.', { time }),
    failed: trans('Run failed after {time}.', { time }),
    cancelled: trans('Run stopped after {time}.', { time })
  };
  return words[run.state] ?? '';
}
