import { describe, expect, it, vi } from 'vitest';
import type { Client, Watcher } from '../../src/api/client';
import type { RunSummary } from '../../src/api/types';
import { RunsStore, shown } from '../../src/panels/runsStore';

function run(id: string, state = 'running', flow = 'a.ipynb'): RunSummary {
  return { id, state, flow, waits: [] } as unknown as RunSummary;
}

interface Fake {
  readonly store: RunsStore;
  readonly runs: ReturnType<typeof vi.fn>;
  tell(run: RunSummary): void;
  remove(...ids: readonly string[]): void;
  state(lost: unknown): void;
}

function fake(...pages: (readonly RunSummary[] | Error)[]): Fake {
  let onRun: (run: RunSummary) => void = () => undefined;
  let onRemoved: (ids: readonly string[]) => void = () => undefined;
  let onState: (lost: unknown) => void = () => undefined;
  const runs = vi.fn(() => {
    const page = pages.shift() ?? [];
    return page instanceof Error ? Promise.reject(page) : Promise.resolve(page);
  });
  const follow = (watcher: Watcher): (() => void) => {
    onRun = watcher.onRun;
    onRemoved = gone => watcher.onRemoved?.(gone);
    onState = lost => watcher.onState?.(lost);
    return () => undefined;
  };
  const store = new RunsStore({ runs, follow } as unknown as Client);
  store.start();
  return {
    store,
    runs,
    tell: told => onRun(told),
    remove: (...gone) => onRemoved(gone),
    state: lost => onState(lost)
  };
}

const ids = ({ store }: Fake): string[] => shown(store.state.get()).map(({ id }) => id);

describe('the list of runs', () => {
  it('is loaded when the service answers, and follows what it tells', async () => {
    const made = fake([run('2'), run('1')]);
    made.state(null);
    await vi.waitFor(() => expect(ids(made)).toEqual(['2', '1']));
    made.tell(run('3', 'queued', 'b.ipynb'));
    made.tell(run('1', 'failed'));
    expect(ids(made)).toEqual(['3', '2', '1']);
    made.store.filter({ flow: 'B.' });
    expect(ids(made)).toEqual(['3']);
  });

  it('keeps what is told while the list is on its way', async () => {
    const made = fake([run('2'), run('1')]);
    made.state(null);
    made.tell(run('2', 'failed'));
    made.tell(run('3', 'queued'));
    await vi.waitFor(() => expect(ids(made)).toEqual(['3', '2', '1']));
    const states = made.store.state.get().runs.map(({ state }) => state);
    expect(states).toEqual(['queued', 'failed', 'running']);
  });

  it('lets go of runs that are removed, also while the list is on its way', async () => {
    const made = fake([run('3'), run('2'), run('1')], [run('3'), run('1')]);
    made.state(null);
    await vi.waitFor(() => expect(ids(made)).toEqual(['3', '2', '1']));
    made.remove('2', 'unknown');
    expect(ids(made)).toEqual(['3', '1']);
    made.state(null);
    made.tell(run('3', 'failed'));
    made.remove('3');
    await vi.waitFor(() => expect(made.store.state.get().loading).toBe(false));
    expect(ids(made)).toEqual(['1']);
  });

  it('leaves out no run between those of the list and an older one that changed', async () => {
    const newest = Array.from({ length: 50 }, (_, index) => run(String(199 - index)));
    const made = fake(newest, [run('149'), run('101', 'completed'), run('100')]);
    made.state(null);
    await vi.waitFor(() => expect(ids(made)).toHaveLength(50));
    made.tell(run('101', 'completed'));
    expect(ids(made).at(-1)).toBe('101');
    await made.store.older();
    expect(made.runs).toHaveBeenLastCalledWith(expect.objectContaining({ before: '150' }));
    expect(ids(made).slice(-4)).toEqual(['150', '149', '101', '100']);
  });

  it('shows only runs in the state that is asked for', async () => {
    const made = fake([run('1', 'failed')]);
    made.store.filter({ state: 'failed' });
    await vi.waitFor(() => expect(ids(made)).toEqual(['1']));
    expect(made.runs).toHaveBeenLastCalledWith(expect.objectContaining({ states: ['failed'] }));
    made.tell(run('2'));
    expect(ids(made)).toEqual(['1']);
    made.tell(run('1', 'queued'));
    expect(ids(made)).toEqual([]);
  });

  it('follows the run that is looked at, whatever its state', async () => {
    const made = fake([run('1', 'waiting')]);
    made.store.filter({ state: 'waiting' });
    await vi.waitFor(() => expect(ids(made)).toEqual(['1']));
    made.store.choose('1');
    made.tell(run('1', 'completed'));
    expect(made.store.state.get().runs.map(({ state }) => state)).toEqual(['completed']);
    expect(ids(made)).toEqual([]);
  });

  it('says that the service is away, and shows the runs when it is back', async () => {
    const made = fake(new Error('away'), [run('1')]);
    made.state(null);
    await vi.waitFor(() => expect(made.store.state.get().lost).toBeInstanceOf(Error));
    await made.store.load();
    expect(made.store.state.get().lost).toBeNull();
    expect(ids(made)).toEqual(['1']);
  });
});
