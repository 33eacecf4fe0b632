import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DISPLAYS, LOG_LINES, LOG_SIZE, NODE_SIZE, bound, tail } from '../../src/core/bounds';
import {
  IDLE,
  NO_RUN,
  VERSION,
  type Events,
  type NodeDelta,
  type NodeState
} from '../../src/core/protocol';
import { RunStore } from '../../src/core/runs';

/** A store whose frames are drawn by hand. */
function store() {
  const waiting: (() => void)[] = [];
  const runs = new RunStore(flush => waiting.push(flush));
  const draw = (): void => waiting.splice(0).forEach(flush => flush());
  return { runs, draw, waiting };
}

const events = (seq: number, list: Events['events'], reset = false): Events => ({
  v: VERSION,
  seq,
  events: list,
  ...(reset ? { reset } : {})
});

const delta = fc.record<NodeDelta>(
  {
    state: fc.constantFrom('running', 'completed', 'failed'),
    attempt: fc.nat(3),
    share: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    text: fc.string({ maxLength: 5 }),
    stale: fc.boolean(),
    log: fc.constantFrom('', 'fresh\n'),
    log_append: fc.constantFrom('a', 'line\n', ''),
    display_append: fc.array(fc.constant({ data: { 'text/plain': 'x' } }), { maxLength: 2 }),
    outputs: fc.constant({ out: { kind: 'object', type: 'any', text: 'x' } as const })
  },
  { requiredKeys: [] }
);
const step = fc.record({
  reset: fc.boolean(),
  draw: fc.boolean(),
  events: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'each/c'), delta), { maxLength: 4 })
});

/** What the state of each node must be, said in the plainest way. */
function oracle(states: Map<string, NodeState>, change: Events): void {
  if (change.reset) {
    for (const [path, { stale, outputs }] of states) {
      states.set(path, { ...IDLE, stale, outputs });
    }
  }
  for (const [path, told] of change.events) {
    const { log_append = '', display_append = [], ...fields } = told as NodeDelta;
    const next = { ...IDLE, ...states.get(path), ...fields };
    const log = next.log + log_append;
    states.set(path, { ...next, log, displays: [...next.displays, ...display_append] });
  }
}

describe('the run store', () => {
  it('holds what the messages say, whatever their order and the frames between them', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        const { runs, draw } = store();
        const expected = new Map<string, NodeState>();
        steps.forEach((one, index) => {
          const message = events(index + 1, one.events, one.reset);
          runs.apply(message);
          oracle(expected, message);
          if (one.draw) {
            draw();
          }
        });
        draw();
        expect(runs.paths().sort()).toEqual([...expected.keys()].sort());
        for (const [path, state] of expected) {
          expect(runs.node(path)).toEqual(state);
        }
      })
    );
  });

  it('tells each watcher once a frame, and only of nodes that changed', () => {
    const { runs, draw, waiting } = store();
    const heard: string[] = [];
    runs.subscribe('a', () => heard.push('a'));
    runs.subscribe('b', () => heard.push('b'));
    for (let seq = 1; seq <= 100; seq += 1) {
      runs.apply(events(seq, [['a', { share: seq / 100 }]]));
    }
    expect(waiting).toHaveLength(1);
    expect(runs.node('a')).toBe(IDLE);
    draw();
    expect(heard).toEqual(['a']);
    expect(runs.node('a').share).toBe(1);
    expect(runs.counters).toEqual({ messages: 100, events: 100, flushes: 1, notified: 1 });
  });

  it('keeps a node that did not change the same object', () => {
    const { runs, draw } = store();
    runs.apply(
      events(1, [
        ['a', { text: 'x' }],
        ['b', { text: 'y' }]
      ])
    );
    draw();
    const before = runs.node('b');
    runs.apply(events(2, [['a', { text: 'z' }]]));
    draw();
    expect(runs.node('b')).toBe(before);
  });

  it('replaces everything by a snapshot, and forgets nodes that it does not name', () => {
    const { runs, draw } = store();
    runs.apply(
      events(1, [
        ['old', { text: 'x' }],
        ['', { run_id: 'r1', state: 'running' }]
      ])
    );
    draw();
    expect(runs.run.get().run_id).toBe('r1');
    runs.apply({
      v: VERSION,
      seq: 9,
      snapshot: { run: NO_RUN, nodes: { new: { ...IDLE, text: 'n' } } }
    });
    draw();
    expect(runs.paths()).toEqual(['new']);
    expect(runs.run.get()).toEqual(NO_RUN);
  });

  it('marks what is stale, and nothing else', () => {
    const { runs, draw } = store();
    runs.apply(
      events(1, [
        ['a', { stale: true }],
        ['b', { text: 'b' }]
      ])
    );
    runs.setStale(['b', 'c']);
    draw();
    expect(['a', 'b', 'c'].map(path => runs.node(path).stale)).toEqual([false, true, true]);
  });

  it('ends what was under way when the line is gone, and nothing else', () => {
    const { runs, draw } = store();
    runs.apply(
      events(1, [
        ['', { state: 'running', started_at: 1 }],
        ['a', { state: 'running', started_at: 1 }],
        ['b', { state: 'completed', started_at: 1, ended_at: 2 }]
      ])
    );
    runs.interrupt(5);
    draw();
    expect(runs.run.get()).toMatchObject({ state: 'cancelled', ended_at: 5 });
    expect(runs.node('a')).toMatchObject({ state: 'cancelled', ended_at: 5 });
    expect(runs.node('b')).toMatchObject({ state: 'completed', ended_at: 2 });
    runs.interrupt(9);
    draw();
    expect(runs.run.get().ended_at).toBe(5);
  });

  it('says nothing after it was disposed', () => {
    const { runs, draw } = store();
    let heard = 0;
    runs.subscribe('a', () => (heard += 1));
    runs.apply(events(1, [['a', { text: 'x' }]]));
    runs.dispose();
    draw();
    expect(heard).toBe(0);
  });
});

describe('bounds', () => {
  it('keep the newest lines of a log', () => {
    const log = Array.from({ length: LOG_LINES + 500 }, (_, line) => `${line}\n`).join('');
    const kept = bound({ ...IDLE, log }).log.split('\n');
    expect(kept).toHaveLength(LOG_LINES + 1);
    expect(kept[0]).toBe('500');
  });

  it('agree with a plain way to take a tail', () => {
    const line = fc.string({ unit: fc.constantFrom('a', '\n'), maxLength: 30 });
    fc.assert(
      fc.property(line, fc.integer({ min: 1, max: 5 }), (text, lines) => {
        const parts = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
        expect(tail(text, lines, 1000)).toBe(parts.slice(-lines).join(''));
      })
    );
  });

  it('keep one node under its size, whatever it shows', () => {
    const big = (size: number) => ({ data: { 'text/plain': 'x'.repeat(size) } });
    const state: NodeState = {
      ...IDLE,
      log: 'x'.repeat(3 * LOG_SIZE),
      displays: Array.from({ length: 3 * DISPLAYS }, () => big(10_000)),
      outputs: { out: { kind: 'text', type: 'text', text: 'x'.repeat(NODE_SIZE), size: NODE_SIZE } }
    };
    const kept = bound(state);
    expect(JSON.stringify(kept).length).toBeLessThan(NODE_SIZE * 1.1);
    expect(kept.outputs.out?.kind).toBe('object');
    expect(kept.displays.at(-1)).toBe(state.displays.at(-1));
    expect(bound({ ...IDLE, displays: [big(2 * NODE_SIZE)] }).displays).toEqual([]);
    expect(bound({ ...IDLE, displays: state.displays.map(() => big(1)) }).displays).toHaveLength(
      DISPLAYS
    );
  });
});

describe('a page', () => {
  let paint: FrameRequestCallback | null;
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('requestAnimationFrame', (act: FrameRequestCallback) => {
      paint = act;
      return 1;
    });
    vi.stubGlobal('cancelAnimationFrame', () => (paint = null));
    paint = null;
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it('shows what came when it paints', () => {
    const runs = new RunStore();
    runs.apply(events(1, [['a', { text: 'one' }]]));
    expect(runs.node('a').text).toBe('');
    paint?.(0);
    expect(runs.node('a').text).toBe('one');
    vi.runAllTimers();
    expect(runs.counters.flushes).toBe(1);
  });

  it('goes on where nothing is painted, as in the background', () => {
    const runs = new RunStore();
    runs.apply(events(1, [['a', { text: 'one' }]]));
    runs.apply(events(2, [['a', { text: 'two' }]]));
    vi.runAllTimers();
    expect(runs.node('a').text).toBe('two');
    expect(paint).toBeNull();
    expect(runs.counters.flushes).toBe(1);
  });
});
