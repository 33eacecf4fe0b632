/** The schedules: when they fire, what they missed, and what can be done with them. */
import { useEffect, useRef, useState } from 'react';
import type { Schedule } from '../api/types';
import { stateText } from '../canvas/chrome/words';
import type { Trans } from '../core/i18n';
import { Fault } from './Answer';
import { useHost } from './host';
import { Moments } from './Moments';
import type { RunsStore } from './runsStore';
import { Unreachable } from './Unreachable';
import { useAsked, useDoing, useStore } from './use';
import { useRoving } from './useRoving';
import { fileName, when } from './words';
import { Store } from '../core/store';

/** What is asked of the list of schedules from elsewhere. */
export class Asking {
  /** Rises whenever it is to be read again. */
  readonly count = new Store(0);
  /** The schedule that is to be opened; "": none. */
  readonly wanted = new Store('');

  readonly again = (): void => this.count.update(count => count + 1);

  show(schedule: string): void {
    this.wanted.set(schedule);
    this.again();
  }
}

interface Props {
  readonly asking: Asking;
  readonly runs: RunsStore;
  /** Show a run. */
  onRun(id: string): void;
}

export function Schedules({ asking, runs, onRun }: Props) {
  const { client, trans } = useHost();
  const count = useStore(asking.count);
  const list = useRoving<HTMLUListElement>('.iai-Runs-run');
  const { runs: listed } = useStore(runs.state);
  // a run that begins is what moves a schedule on
  const { result, error } = useAsked(() => client.schedules(), `${count} ${listed[0]?.id ?? ''}`);
  useNextMoment(result?.schedules ?? [], asking);
  if (error) {
    return <Unreachable reason={error} onRetry={asking.again} />;
  }
  return (
    <>
      {result && <p className="iai-Panel-quiet">{result.fired_by}</p>}
      {result?.schedules.length === 0 && (
        <p className="iai-Panel-quiet">
          {trans('No schedules yet. Add one by the button in the toolbar of a notebook or flow.')}
        </p>
      )}
      <ul className="iai-Runs" aria-label={trans('Schedules')} {...list}>
        {result?.schedules.map(schedule => (
          <Line key={schedule.id} schedule={schedule} asking={asking} onRun={onRun} />
        ))}
      </ul>
    </>
  );
}

/** Ask again once a moment has passed: it may have been left out, and there is no run to tell. */
function useNextMoment(schedules: readonly Schedule[], asking: Asking): void {
  const moments = schedules.flatMap(({ next_due: due }) => (due ? [Date.parse(due)] : []));
  const next = Math.min(...moments);
  useEffect(() => {
    if (!Number.isFinite(next)) {
      return undefined;
    }
    const pause = Math.min(LONGEST_MS, Math.max(0, next - Date.now()) + SLACK_MS);
    const timer = setTimeout(asking.again, pause);
    return () => clearTimeout(timer);
  }, [schedules, next, asking]);
}

const SLACK_MS = 2_000;
const LONGEST_MS = 3_600_000;

interface LineProps {
  readonly schedule: Schedule;
  readonly asking: Asking;
  onRun(id: string): void;
}

function Line({ schedule, asking, onRun }: LineProps) {
  const { trans, language } = useHost();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const isWanted = useStore(asking.wanted) === schedule.id;
  if (isWanted && !open) {
    setOpen(true);
  }
  useEffect(() => {
    if (isWanted) {
      asking.wanted.set('');
      button.current?.focus();
    }
  }, [isWanted, asking]);
  return (
    <li>
      <button
        ref={button}
        type="button"
        className="iai-Runs-run"
        aria-expanded={open}
        title={schedule.target}
        onClick={() => setOpen(!open)}
      >
        <span className="iai-Runs-head">
          <b>{schedule.name}</b>
          <span className="iai-Run-state" data-state={schedule.state}>
            {stateOf(schedule, trans)}
          </span>
        </span>
        <span className="iai-Panel-quiet">
          {fileName(schedule.target)} · {schedule.when}
        </span>
        {schedule.next_due && (
          <span>{trans('Next: {moment}', { moment: when(schedule.next_due, language) })}</span>
        )}
      </button>
      {open && <Opened schedule={schedule} asking={asking} onRun={onRun} />}
    </li>
  );
}

function Opened({ schedule, asking, onRun }: LineProps) {
  const { client, trans } = useHost();
  const { last_run: last, last_state: state } = schedule;
  const key = `${schedule.id} ${schedule.state} ${schedule.next_due}`;
  const { result, error } = useAsked(() => client.schedule(schedule.id), key);
  return (
    <div className="iai-Schedule">
      <Actions schedule={schedule} asking={asking} onRun={onRun} />
      <Fault text={schedule.fault} />
      {last && state && (
        <p>
          {trans('Last run:')}{' '}
          <button type="button" className="iai-Panel-link" onClick={() => onRun(last)}>
            {stateText(trans, state)}
          </button>
        </p>
      )}
      <h4>{trans('Next times')}</h4>
      <Fault text={error} />
      {result && <Moments moments={result.next ?? []} />}
      <Misses schedule={schedule} />
    </div>
  );
}

function Actions({ schedule, asking, onRun }: LineProps) {
  const { client, trans, edit, confirm, open, save } = useHost();
  const { busy, fault, go } = useDoing();
  const { id, name } = schedule;
  const change = (work: () => Promise<unknown>): void => {
    void go(async () => {
      await work();
      asking.again();
    });
  };
  const runNow = async (): Promise<void> => {
    if (schedule.version === null) {
      await save(schedule.target);
    }
    onRun((await client.runNow(id)).id);
  };
  const remove = async (): Promise<void> => {
    const body = trans('It fires no more. The runs that it made stay.');
    if (await confirm(trans('Remove schedule {name}?', { name }), body, trans('Remove'))) {
      await client.removeSchedule(id);
    }
  };
  return (
    <>
      <div className="iai-Panel-row" role="group" aria-label={trans('Actions')}>
        <button type="button" disabled={busy} onClick={() => void go(runNow)}>
          {trans('Run now')}
        </button>
        {schedule.state === 'paused' ? (
          <button type="button" disabled={busy} onClick={() => change(() => client.resume(id))}>
            {trans('Resume')}
          </button>
        ) : (
          <button type="button" disabled={busy} onClick={() => change(() => client.pause(id))}>
            {trans('Pause')}
          </button>
        )}
        <button type="button" disabled={busy} onClick={() => edit(schedule)}>
          {trans('Edit')}
        </button>
        <button type="button" disabled={busy} onClick={() => open(schedule.target)}>
          {trans('Open source')}
        </button>
        <button type="button" disabled={busy} onClick={() => change(remove)}>
          {trans('Remove')}
        </button>
      </div>
      <Fault text={fault} />
    </>
  );
}

function Misses({ schedule }: { readonly schedule: Schedule }) {
  const { client, trans, language } = useHost();
  const key = `${schedule.id} ${schedule.next_due}`;
  const { result, error } = useAsked(() => client.misses(schedule.id), key);
  if (result?.length === 0) {
    return null;
  }
  return (
    <>
      <h4>{trans('Missed times')}</h4>
      <Fault text={error} />
      <ul className="iai-Moments">
        {result?.slice(0, SHOWN).map(miss => (
          <li key={miss.due_at}>
            {when(miss.due_at, language)} <span className="iai-Moments-note">{miss.message}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

const SHOWN = 10;

function stateOf({ state }: Schedule, trans: Trans): string {
  const words = {
    active: trans('Active'),
    paused: trans('Paused'),
    ended: trans('Ended'),
    broken: trans('Cannot fire')
  };
  return words[state];
}
