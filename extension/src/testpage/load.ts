/** Events at a steady rate, for benchmarks. */
import type { NodeState } from '../core/protocol';
import { measureFrames, type Frames } from './meter';

/** One event: a node and what changed. */
export type LoadEvent = readonly [path: string, delta: Partial<NodeState>];

export interface LoadOptions {
  /** Events a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly paths: readonly string[];
  /** Messages a second; the events of each are merged by node, as the kernel does. 0: one a event. */
  readonly messages: number;
}

export interface LoadResult extends Frames {
  readonly events: number;
  readonly messages: number;
}

const TICK = 5;

/** Send events through `send` while frames are counted. */
export async function feedLoad(
  options: LoadOptions,
  send: (events: readonly LoadEvent[]) => void
): Promise<LoadResult> {
  const { rate, seconds, paths, messages } = options;
  const start = performance.now();
  const sent = { events: 0, messages: 0 };
  const timer = setInterval(
    () => {
      const due = Math.floor(((performance.now() - start) / 1000) * rate) - sent.events;
      const events = Array.from({ length: due }, (_, at) => eventAt(sent.events + at, paths));
      const parts = messages > 0 ? [[...new Map(events)]] : events.map(event => [event]);
      parts.filter(part => part.length > 0).forEach(send);
      sent.events += due;
      sent.messages += parts.length;
    },
    messages > 0 ? 1000 / messages : TICK
  );
  const frames = await measureFrames(seconds * 1000);
  clearInterval(timer);
  return { ...frames, ...sent };
}

function eventAt(number: number, paths: readonly string[]): LoadEvent {
  const path = paths[number % paths.length] ?? '';
  const share = (Math.floor(number / paths.length) % 100) / 100;
  return [path, { state: 'running', attempt: 1, share, text: `item ${number}` }];
}
