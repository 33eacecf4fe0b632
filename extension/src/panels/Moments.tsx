/** The next moments of a schedule, in its own zone. */
import type { Moment } from '../api/types';
import { useHost } from './host';

export function Moments({ moments }: { readonly moments: readonly Moment[] }) {
  const { trans } = useHost();
  if (moments.length === 0) {
    return <p className="iai-Panel-quiet">{trans('No time is known in advance.')}</p>;
  }
  return (
    <ol className="iai-Moments" aria-label={trans('Next times')}>
      {moments.map(({ at, local, note }) => (
        <li key={at}>
          <time dateTime={at}>{spelled(local)}</time>
          {note && <span className="iai-Moments-note"> {note}</span>}
        </li>
      ))}
    </ol>
  );
}

/** `2026-12-01T06:00:00.25+07:00` with spaces, in whole seconds, without those that are none. */
function spelled(local: string): string {
  return local.replace(
    /^(\S+)T(\d\d:\d\d)(:\d\d)?(?:\.\d+)?(?=[+-])/,
    (_, day: string, time: string, second = '') =>
      `${day} ${time}${second === ':00' ? '' : String(second)} `
  );
}
