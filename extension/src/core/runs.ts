/**
 * What is known of the present run: one state per node path, outside React. Messages are merged as
 * they come; those who watch a node hear of it at most once per animation frame.
 */
import { bound } from './bounds';
import { beforePaint } from './frames';
import {
  IDLE,
  NO_RUN,
  type Events,
  type NodeDelta,
  type NodeState,
  type RunInfo,
  type RunState,
  type Snapshot
} from './protocol';
import { Store, type Listener } from './store';

/** Calls back once, soon; pages have `beforePaint`. */
export type Schedule = (flush: () => void) => void;

/** What the store has done, for benchmarks and tests. */
export interface Counters {
  readonly messages: number;
  readonly events: number;
  readonly flushes: number;
  readonly notified: number;
}

const ENDED: ReadonlySet<RunState> = new Set(['completed', 'failed', 'cancelled']);

export class RunStore {
  readonly run = new Store<RunInfo>(NO_RUN);
  private states = new Map<string, NodeState>();
  private next = new Map<string, NodeState>();
  private nextRun: RunInfo | null = null;
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly everywhere = new Set<Listener>();
  private scheduled = false;
  private disposed = false;
  private counts = { messages: 0, events: 0, flushes: 0, notified: 0 };

  constructor(private readonly schedule: Schedule = beforePaint) {}

  get counters(): Counters {
    return { ...this.counts };
  }

  /** The state of the node at `path`; `IDLE` when nothing is known of it. */
  node(path: string): NodeState {
    return this.states.get(path) ?? IDLE;
  }

  /** Paths of all nodes that something is known of. */
  paths(): string[] {
    return [...this.states.keys()];
  }

  /** Hear when the node at `path` has changed. */
  subscribe(path: string, listener: Listener): () => void {
    const listeners = this.listeners.get(path) ?? new Set();
    listeners.add(listener);
    this.listeners.set(path, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.listeners.get(path) === listeners) {
        this.listeners.delete(path);
      }
    };
  }

  /** Hear once per flush in which any node has changed. */
  subscribeAll(listener: Listener): () => void {
    this.everywhere.add(listener);
    return () => this.everywhere.delete(listener);
  }

  /** Merge a message; it is shown with the next frame. */
  apply(message: Events | Snapshot): void {
    this.counts.messages += 1;
    if ('snapshot' in message) {
      this.replace(message);
    } else {
      this.merge(message);
    }
    this.later();
  }

  /** Mark these paths as out of date, and no others. */
  setStale(paths: readonly string[]): void {
    const stale = new Set(paths);
    for (const path of new Set([...this.states.keys(), ...this.next.keys(), ...stale])) {
      const state = this.latest(path);
      if (state.stale !== stale.has(path)) {
        this.next.set(path, { ...state, stale: stale.has(path) });
      }
    }
    this.later();
  }

  /**
   * Nothing more is heard of the run: what was under way is cancelled.
   * @param at epoch seconds
   */
  interrupt(at: number): void {
    for (const path of new Set([...this.states.keys(), ...this.next.keys()])) {
      const state = this.latest(path);
      if (['running', 'retrying', 'waiting'].includes(state.state)) {
        this.next.set(path, {
          ...state,
          state: 'cancelled',
          wait: null,
          more_waits: [],
          ended_at: at
        });
      }
    }
    const run = this.nextRun ?? this.run.get();
    if (run.state !== null && !ENDED.has(run.state)) {
      this.nextRun = { ...run, state: 'cancelled', ended_at: at, note: '' };
    }
    this.later();
  }

  /** Stop telling anybody anything. */
  dispose(): void {
    this.disposed = true;
    this.listeners.clear();
    this.everywhere.clear();
  }

  private latest(path: string): NodeState {
    return this.next.get(path) ?? this.node(path);
  }

  private replace({ snapshot }: Snapshot): void {
    const nodes = new Map(Object.entries(snapshot.nodes));
    for (const path of new Set([...this.states.keys(), ...this.next.keys(), ...nodes.keys()])) {
      const state = nodes.get(path);
      this.next.set(path, state ? bound({ ...IDLE, ...state }) : IDLE);
    }
    this.nextRun = { ...NO_RUN, ...snapshot.run };
  }

  private merge({ events, reset }: Events): void {
    if (reset) {
      this.restart();
    }
    this.counts.events += events.length;
    for (const [path, delta] of events) {
      if (path === '') {
        this.nextRun = { ...(this.nextRun ?? this.run.get()), ...(delta as Partial<RunInfo>) };
      } else {
        this.next.set(path, merged(this.latest(path), delta as NodeDelta));
      }
    }
  }

  /** A new run: outputs of the earlier one stay until they are replaced. */
  private restart(): void {
    for (const path of new Set([...this.states.keys(), ...this.next.keys()])) {
      const { stale, outputs } = this.latest(path);
      this.next.set(path, { ...IDLE, stale, outputs });
    }
    this.nextRun = NO_RUN;
  }

  private later(): void {
    if (!this.scheduled && !this.disposed) {
      this.scheduled = true;
      this.schedule(() => this.flush());
    }
  }

  private flush(): void {
    this.scheduled = false;
    if (this.disposed) {
      return;
    }
    this.counts.flushes += 1;
    const changed = [...this.next].filter(([path, state]) => this.node(path) !== state);
    this.next = new Map();
    for (const [path, state] of changed) {
      if (state === IDLE) {
        this.states.delete(path);
      } else {
        this.states.set(path, state);
      }
    }
    if (this.nextRun) {
      const run = this.nextRun;
      this.nextRun = null;
      this.run.set(run);
    }
    this.tell(changed.map(([path]) => path));
  }

  private tell(paths: readonly string[]): void {
    for (const path of paths) {
      for (const listener of [...(this.listeners.get(path) ?? [])]) {
        this.counts.notified += 1;
        listener();
      }
    }
    if (paths.length > 0) {
      for (const listener of [...this.everywhere]) {
        listener();
      }
    }
  }
}

/** A state with a delta added: fields replace, `..._append` fields add to what is there. */
function merged(state: NodeState, delta: NodeDelta): NodeState {
  const { log_append: log, display_append: displays, ...fields } = delta;
  const next = { ...state, ...fields };
  if (log === undefined && displays === undefined && !('log' in delta || 'displays' in delta)) {
    return 'outputs' in delta ? bound(next) : next;
  }
  return bound({
    ...next,
    log: log === undefined ? next.log : next.log + log,
    displays: displays === undefined ? next.displays : [...next.displays, ...displays]
  });
}
