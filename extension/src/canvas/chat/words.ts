/** What is said of conversations, for people. */
import type { ExchangeState } from '../../core/chat';
import type { Trans } from '../../core/i18n';

export function exchangeStateText(trans: Trans, state: ExchangeState): string {
  const words: Record<ExchangeState, string> = {
    sending: trans('Is sent'),
    working: trans('Works'),
    done: trans('Done'),
    stopped: trans('Stopped'),
    failed: trans('Failed')
  };
  return words[state];
}

/** The time of today, the day of another day. */
export function shortMoment(seconds: number, language: string): string {
  const date = new Date(seconds * 1000);
  const isToday = date.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(
    language,
    isToday ? { timeStyle: 'short' } : { dateStyle: 'medium' }
  ).format(date);
}
