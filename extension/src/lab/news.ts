/** Notifications: runs that failed, wait or were late, what this page started, what was missed. */
import { Notification } from '@jupyterlab/apputils';
import type { Missed, RunSummary } from '../api/types';
import type { Trans } from '../core/i18n';
import { fileName, openWaits, reasonOf } from '../panels/words';

interface Group {
  readonly id: string;
  count: number;
}

type RunKind = 'failed' | 'waiting' | 'late' | 'completed';
type Kind = RunKind | 'missed';

const LEVELS: Readonly<Record<Kind, 'error' | 'warning' | 'success' | 'info'>> = {
  failed: 'error',
  waiting: 'info',
  late: 'warning',
  completed: 'success',
  missed: 'warning'
};
/** Opens the panel at what a notification is about. */
export interface Doors {
  run(id: string): void;
  schedule(id: string): void;
  /** Whether a flow, by its path in the workspace, is in front: its canvas tells of its runs. */
  isInFront(flow: string): boolean;
}

/** What a notification says. */
interface Told {
  /** Of one. */
  readonly single: string;
  /** Of several, this one the last. */
  several(count: number): string;
  show(): void;
}

/** A run that starts so many milliseconds after it was due is late. */
const LATE_MS = 60_000;

/** How the queues begin that kernels keep for their own runs. */
const OF_KERNEL = 'kernel:';

/** What fares alike shares one notification until it is dismissed. */
export class RunNews {
  private readonly groups = new Map<Kind, Group>();
  private readonly started = new Set<string>();
  private readonly told = new Set<string>();

  constructor(
    private readonly trans: Trans,
    private readonly language: string,
    private readonly doors: Doors
  ) {}

  /** Remember that this page started a run, whose end is told whatever it is. */
  expect(run: string): void {
    this.started.add(run);
  }

  readonly take = (run: RunSummary): void => {
    const kind = this.kindOf(run);
    const key = `${run.id} ${kind}`;
    if (kind && !this.isSeen(run) && this.isNew(key)) {
      this.tell(kind, {
        single: this.single(kind, run),
        several: count => this.several(kind, count, run),
        show: () => this.doors.run(run.id)
      });
    }
  };

  takeMissed({ id, schedule_id: schedule, name, count, message }: Missed): void {
    const { trans } = this;
    if (this.isNew(id)) {
      this.tell('missed', {
        single:
          count === 1
            ? trans('{name} missed a time: {message}', { name, message })
            : trans('{name} missed {count} times: {message}', { name, count, message }),
        several: several =>
          trans('{count} reports of missed times, {name} the last', { count: several, name }),
        show: () => this.doors.schedule(schedule)
      });
    }
  }

  /** Whether people see a run anyway, which this page's kernel has made. */
  private isSeen({ queue, flow }: RunSummary): boolean {
    return queue.startsWith(OF_KERNEL) && this.doors.isInFront(flow);
  }

  /** Whether something is told for the first time. */
  private isNew(key: string): boolean {
    const isNew = !this.told.has(key);
    this.told.add(key);
    return isNew;
  }

  private kindOf(run: RunSummary): RunKind | null {
    if (run.state === 'failed') {
      return 'failed';
    }
    if (run.state === 'completed') {
      return this.started.has(run.id) ? 'completed' : null;
    }
    const asks = openWaits(run).some(({ kind }) => kind !== 'delay' && kind !== 'until');
    if (asks) {
      return 'waiting';
    }
    return isLate(run) ? 'late' : null;
  }

  private tell(kind: Kind, { single, several, show }: Told): void {
    const known = this.groups.get(kind);
    const open = known && Notification.manager.has(known.id) ? known : null;
    const count = (open?.count ?? 0) + 1;
    const message = count === 1 ? single : several(count);
    const actions = [{ label: this.trans('Show'), callback: show }];
    const autoClose = kind === 'completed' ? 5_000 : (false as const);
    if (open) {
      open.count = count;
      Notification.update({ id: open.id, message, type: LEVELS[kind], actions, autoClose });
    } else {
      const id = Notification.emit(message, LEVELS[kind], { actions, autoClose });
      this.groups.set(kind, { id, count });
    }
  }

  private single(kind: RunKind, run: RunSummary): string {
    const { trans } = this;
    const values = { name: fileName(run.flow), reason: reasonOf(run, trans, this.language) };
    const messages: Record<RunKind, string> = {
      failed: trans('{name} failed: {reason}', values),
      waiting: trans('{name} waits: {reason}', values),
      late: trans('{name} started late.', values),
      completed: trans('{name} has completed.', values)
    };
    return messages[kind];
  }

  private several(kind: RunKind, count: number, run: RunSummary): string {
    const { trans } = this;
    const values = { count, name: fileName(run.flow) };
    const messages: Record<RunKind, string> = {
      failed: trans('{count} runs failed, {name} the last', values),
      waiting: trans('{count} runs wait for an answer, {name} the last', values),
      late: trans('{count} runs started late, {name} the last', values),
      completed: trans('{count} runs have completed, {name} the last', values)
    };
    return messages[kind];
  }
}

function isLate({ state, run_at: due, started_at: started }: RunSummary): boolean {
  return state === 'running' && started !== null && Date.parse(started) - Date.parse(due) > LATE_MS;
}
