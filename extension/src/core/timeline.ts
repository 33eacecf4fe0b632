/** The timeline of a run: when each step waited and worked, as bars in lanes. */
import type { TimelineStep } from './protocol';

export interface Bar {
  readonly step: TimelineStep;
  /** Row of its lane, so that steps at the same time do not cover each other. */
  readonly row: number;
  /** Seconds from the start of the timeline. */
  readonly start: number;
  readonly length: number;
  /** Seconds that it waited for a free place before `start`. */
  readonly wait: number;
  /** Whether it was not called: its outcome came from the cache, a pin or an earlier run. */
  readonly mark: boolean;
}

export interface Lane {
  readonly node: string;
  readonly rows: number;
  readonly bars: readonly Bar[];
}

export interface Timeline {
  /** Seconds since the Unix epoch. */
  readonly start: number;
  /** Seconds from the first start to the last end. */
  readonly span: number;
  readonly lanes: readonly Lane[];
  /** Seconds from the start where a grid line helps. */
  readonly ticks: readonly number[];
}

/** From one tick to the next at least, in seconds: a scale says whole milliseconds. */
const SHORTEST = 0.001;
/** Rows of one lane; further steps share the last. */
const ROWS = 8;

/** Lay out the steps that have started; those that work are drawn up to `now` (epoch seconds). */
export function timeline(steps: readonly TimelineStep[], now: number): Timeline {
  const started = steps
    .filter(step => step.started_at !== null)
    .sort((one, other) => begin(one) - begin(other));
  const start = started.reduce((first, step) => Math.min(first, begin(step)), Infinity);
  if (started.length === 0) {
    return { start: now, span: 0, lanes: [], ticks: [] };
  }
  const lanes = new Map<string, TimelineStep[]>();
  for (const step of started) {
    const members = lanes.get(step.node);
    if (members) {
      members.push(step);
    } else {
      lanes.set(step.node, [step]);
    }
  }
  const end = started.reduce((last, step) => Math.max(last, finish(step, now)), start);
  return {
    start,
    span: end - start,
    lanes: [...lanes].map(([node, members]) => lane(node, members, start, now)),
    ticks: ticks(end - start)
  };
}

/** Moments at round distances, four to nine of them; fewer within a few milliseconds. */
export function ticks(span: number): number[] {
  if (!(span > 0)) {
    return [];
  }
  const rough = Math.max(span / 8, SHORTEST);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= rough) ?? rough;
  return Array.from({ length: Math.floor(span / step + 1e-9) + 1 }, (_, index) => index * step);
}

function lane(node: string, steps: readonly TimelineStep[], origin: number, now: number): Lane {
  const ends: number[] = [];
  const bars = steps.map(step => {
    const [start, end] = [begin(step), finish(step, now)];
    const free = ends.findIndex(taken => taken <= start);
    const row = free >= 0 ? free : Math.min(ends.length, ROWS - 1);
    ends[row] = Math.max(ends[row] ?? -Infinity, end);
    const wait = Math.max(0, Math.min(step.queue_wait_s, start - origin));
    return { step, row, start: start - origin, length: end - start, wait, mark: isMark(step) };
  });
  return { node, rows: ends.length, bars };
}

function isMark({ source, state }: TimelineStep): boolean {
  return state === 'completed' && source !== 'executed';
}

function begin(step: TimelineStep): number {
  return step.started_at as number;
}

/** A clock that was set back never makes a bar of negative length. */
function finish(step: TimelineStep, now: number): number {
  const working = ['running', 'retrying', 'waiting'].includes(step.state);
  return Math.max(begin(step), step.ended_at ?? (working ? now : begin(step)));
}
