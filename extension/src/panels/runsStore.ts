/** The runs that the panel lists, kept up to date as the service tells of changes. */
import type { Client } from '../api/client';
import type { Missed, RunSummary } from '../api/types';
import { Store } from '../core/store';

export interface Filter {
  /** Only runs in this state; "": all. */
  readonly state: string;
  /** Only runs of flows and notebooks whose path has this text. */
  readonly flow: string;
}

/** What is looked for in the logs of all runs. */
export interface Search {
  /** "": nothing. */
  readonly text: string;
  /** Whether the text is a regular expression. */
  readonly isPattern: boolean;
}

/** Where in a run something was found. */
export interface Place {
  /** The step's path; "": the whole run. */
  readonly step: string;
  /** What its log is searched for; "": nothing. */
  readonly text: string;
}

export interface RunsState {
  readonly runs: readonly RunSummary[];
  /** Why the service cannot be asked; null: it can. */
  readonly lost: unknown;
  readonly loading: boolean;
  readonly filter: Filter;
  /** Whether there are older runs to be asked for. */
  readonly more: boolean;
  /** The run that is shown in detail; "": none. */
  readonly chosen: string;
  /** What of the chosen run is looked at. */
  readonly place: Place;
  readonly search: Search;
}

const WHOLE: Place = { step: '', text: '' };

const PAGE = 50;

export class RunsStore {
  readonly state = new Store<RunsState>({
    runs: [],
    lost: null,
    loading: true,
    filter: { state: '', flow: '' },
    more: false,
    chosen: '',
    place: WHOLE,
    search: { text: '', isPattern: false }
  });
  private readonly watchers = new Set<(run: RunSummary, before: RunSummary | null) => void>();
  /** The run that was left for the list. */
  left = '';
  private asked = 0;
  /** The last run of the list as the service gave it: one that was told of may be older. */
  private last: string | undefined;
  /** What was told of runs while a list was on its way: it may be newer than the list. */
  private readonly told = new Map<string, RunSummary>();
  /** Runs that were removed while a list was on its way. */
  private readonly gone = new Set<string>();
  private end: () => void = () => undefined;

  constructor(
    readonly client: Client,
    private readonly onMissed: (missed: Missed) => void = () => undefined
  ) {}

  start(): void {
    this.end = this.client.follow({
      onRun: run => this.take(run),
      onMissed: this.onMissed,
      onRemoved: ids => this.drop(new Set(ids)),
      onState: lost => (lost ? this.state.update(state => ({ ...state, lost })) : void this.load())
    });
  }

  dispose(): void {
    this.end();
    this.asked += 1;
  }

  /** Hear of every run that changes, with what was known of it before. */
  watch(watcher: (run: RunSummary, before: RunSummary | null) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  choose(chosen: string, place: Place = WHOLE): void {
    this.left = this.state.get().chosen;
    this.state.update(state => ({ ...state, chosen, place }));
  }

  search(change: Partial<Search>): void {
    this.state.update(state => ({ ...state, search: { ...state.search, ...change } }));
  }

  filter(change: Partial<Filter>): void {
    const filter = { ...this.state.get().filter, ...change };
    this.state.update(state => ({ ...state, filter }));
    if ('state' in change) {
      void this.load();
    }
  }

  /** Ask for the newest runs; what was asked before and answers later is not shown. */
  async load(): Promise<void> {
    await this.page(undefined);
  }

  async older(): Promise<void> {
    await this.page(this.last);
  }

  private async page(before: string | undefined): Promise<void> {
    const asked = (this.asked += 1);
    const { filter } = this.state.get();
    this.told.clear();
    this.gone.clear();
    this.state.update(state => ({ ...state, loading: true }));
    try {
      const states = filter.state ? [filter.state] : [];
      const found = await this.client.runs({ states, before, limit: PAGE });
      if (asked === this.asked) {
        this.last = found.at(-1)?.id ?? before;
        const more = found.length === PAGE;
        const known = before ? this.state.get().runs : [];
        const runs = joined(known, found).filter(({ id }) => !this.gone.has(id));
        this.state.update(state => ({ ...state, runs, more, lost: null, loading: false }));
        this.told.forEach(run => this.put(run));
      }
    } catch (lost) {
      if (asked === this.asked) {
        this.state.update(state => ({ ...state, lost, loading: false }));
      }
    }
  }

  private take(run: RunSummary): void {
    const before = this.state.get().runs.find(({ id }) => id === run.id) ?? null;
    if (this.state.get().loading) {
      this.told.set(run.id, run);
    }
    this.put(run);
    this.watchers.forEach(watcher => watcher(run, before));
  }

  private drop(ids: ReadonlySet<string>): void {
    ids.forEach(id => {
      this.told.delete(id);
      this.gone.add(id);
    });
    this.state.update(state => ({
      ...state,
      runs: state.runs.filter(({ id }) => !ids.has(id))
    }));
  }

  private put(run: RunSummary): void {
    const { runs, filter, chosen } = this.state.get();
    const others = runs.filter(({ id }) => id !== run.id);
    const fits = !filter.state || filter.state === run.state || run.id === chosen;
    const next = fits ? [...others, run].sort(newestFirst) : others;
    this.state.update(state => ({ ...state, runs: next, lost: null }));
  }
}

/** The runs that a filter shows. */
export function shown({ runs, filter }: RunsState): readonly RunSummary[] {
  const wanted = filter.flow.trim().toLowerCase();
  return runs.filter(
    ({ flow, state }) =>
      (!filter.state || filter.state === state) && flow.toLowerCase().includes(wanted)
  );
}

/** Both lists as one; a run that is in both is as the second says. */
function joined(known: readonly RunSummary[], found: readonly RunSummary[]): RunSummary[] {
  const byId = new Map([...known, ...found].map(run => [run.id, run]));
  return [...byId.values()].sort(newestFirst);
}

/** Ids rise with time. */
function newestFirst(a: RunSummary, b: RunSummary): number {
  return a.id < b.id ? 1 : -1;
}
