import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Missed } from '../../src/api/types';
import { translator } from '../../src/core/i18n';
import { RunNews } from '../../src/lab/news';
import { run } from '../panels/stage';

interface Shown {
  readonly type: string;
  readonly message: string;
  readonly actions: readonly { readonly label: string; callback(): void }[];
  readonly autoClose: unknown;
}

const shown = vi.hoisted(() => new Map<string, object>());

vi.mock('@jupyterlab/apputils', () => ({
  Notification: {
    manager: shown,
    emit: (message: string, type: string, options: object) => {
      const id = `n${shown.size}`;
      shown.set(id, { message, type, ...options });
      return id;
    },
    update: ({ id, ...said }: { id: string }) => shown.set(id, said)
  }
}));

const notes = (): Shown[] => [...shown.values()] as Shown[];

function missed(id: string, change: Partial<Missed> = {}): Missed {
  return {
    id,
    schedule_id: 'schedule-1',
    name: 'Nightly',
    flow: 'a.ipynb',
    count: 3,
    first_due: '2026-11-23T01:00:00Z',
    last_due: '2026-11-23T03:00:00Z',
    message: 'Nothing ran then.',
    noted_at: '2026-11-23T06:00:00Z',
    ...change
  };
}

function reader() {
  const doors = {
    run: vi.fn(),
    schedule: vi.fn(),
    isInFront: vi.fn((flow: string) => flow === 'front.flow.json')
  };
  return { doors, news: new RunNews(translator('en'), 'en', doors) };
}

afterEach(() => shown.clear());

describe('what schedules missed', () => {
  it('is told once, and shown from there', () => {
    const { doors, news } = reader();
    news.takeMissed(missed('1'));
    news.takeMissed(missed('1'));
    const [note, ...others] = notes();
    expect(others).toEqual([]);
    expect(note).toMatchObject({
      message: 'Nightly missed 3 times: Nothing ran then.',
      type: 'warning',
      autoClose: false
    });
    expect(note?.actions.map(({ label }) => label)).toEqual(['Show']);
    note?.actions[0]?.callback();
    expect(doors.schedule).toHaveBeenCalledExactlyOnceWith('schedule-1');
    shown.clear();
    news.takeMissed(missed('1'));
    expect(notes()).toEqual([]);
  });

  it('shares one notification until it is dismissed', () => {
    const { doors, news } = reader();
    news.takeMissed(missed('1', { count: 1 }));
    expect(notes()[0]?.message).toBe('Nightly missed a time: Nothing ran then.');
    news.takeMissed(missed('2', { name: 'Hourly', schedule_id: 'schedule-2' }));
    expect(notes().map(({ message }) => message)).toEqual([
      '2 reports of missed times, Hourly the last'
    ]);
    notes()[0]?.actions[0]?.callback();
    expect(doors.schedule).toHaveBeenCalledExactlyOnceWith('schedule-2');
    news.take(run('r1', { state: 'failed', error: null }));
    expect(notes().map(({ type }) => type)).toEqual(['warning', 'error']);
    notes()[1]?.actions[0]?.callback();
    expect(doors.run).toHaveBeenCalledExactlyOnceWith('r1');
  });
});

describe('a run that failed', () => {
  const failed = { state: 'failed', queue: 'kernel:here' } as const;

  it('is told, unless its canvas is in front and says so itself', () => {
    const { news } = reader();
    news.take(run('r1', { ...failed, flow: 'front.flow.json' }));
    expect(notes()).toEqual([]);
    news.take(run('r2', { ...failed, flow: 'other.flow.json' }));
    expect(notes().map(({ type }) => type)).toEqual(['error']);
  });

  it('is told of the flow in front too when a worker ran it', () => {
    const { news } = reader();
    news.take(run('r1', { ...failed, queue: 'default', flow: 'front.flow.json' }));
    expect(notes()).toHaveLength(1);
  });
});
