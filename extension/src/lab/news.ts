/** Notifications about runs: what failed, waits or was late, and what this page started. */
import { Notification } from '@jupyterlab/apputils';
import type { RunSummary } from '../api/types';
import type { Trans } from '../core/i18n';
import { fileName, openWaits, reasonOf } from '../panels/words';

interface Group {
  readonly id: string;
  count: number;
}

type Kind = 'failed' | 'waiting' | 'late' | 'completed';

const LEVELS: Readonly<Record<Kind, 'error' | 'warning' | 'success' | 'info'>> = {
  failed: 'error',
  waiting: 'info',
  late: 'warning',
  completed: 'success'
};
/** A run that starts so many milliseconds after it was due is late. */
const LATE_MS = 60_000;

/** Runs that fare alike share one notification until it is dismissed. */
export class RunNews {
  private readonly groups = new Map<Kind, Group>();
  private readonly started = new Set<string>();
  private readonly told = new Set<string>();

  constructor(
    private readonly trans: Trans,
    private readonly language: string,
    private readonly show: (run: string) => void
  ) {}

  /** Remember that this page started a run, whose end is told whatever it is. */
  expect(run: string): void {
    this.started.add(run);
  }

  readonly take = (run: RunSummary): void => {
    const kind = this.kindOf(run);
    const key = `${run.id} ${kind}`;
    if (kind && !this.told.has(key)) {
      this.told.add(key);
      this.tell(kind, run);
    }
  };

  private kindOf(run: RunSummary): Kind | null {
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

  private tell(kind: Kind, run: RunSummary): void {
    const known = this.groups.get(kind);
    const open = known && Notification.manager.has(known.id) ? known : null;
    const count = (open?.count ?? 0) + 1;
    const message = count === 1 ? this.single(kind, run) : this.several(kind, count, run);
    const actions = [{ label: this.trans('Show'), callback: () => this.show(run.id) }];
    const autoClose = kind === 'completed' ? 5_000 : (false as const);
    if (open) {
      open.count = count;
      Notification.update({ id: open.id, message, type: LEVELS[kind], actions, autoClose });
    } else {
      const id = Notification.emit(message, LEVELS[kind], { actions, autoClose });
      this.groups.set(kind, { id, count });
    }
  }

  private single(kind: Kind, run: RunSummary): string {
    const { trans } = this;
    const values = { name: fileName(run.flow), reason: reasonOf(run, trans, this.language) };
    const messages: Record<Kind, string> = {
      failed: trans('{name} failed: {reason}', values),
      waiting: trans('{name} waits: {reason}', values),
      late: trans('{name} started late.', values),
      completed: trans('{name} has completed.', values)
    };
    return messages[kind];
  }

  private several(kind: Kind, count: number, run: RunSummary): string {
    const { trans } = this;
    const values = { count, name: fileName(run.flow) };
    const messages: Record<Kind, string> = {
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
