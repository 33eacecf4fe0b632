/** How much of one node's outputs the browser keeps: the rest stays in the kernel. */
import type { Json, JsonObject } from './flow';
import type { Bundle, NodeState, Preview } from './protocol';

export const LOG_LINES = 2000;
export const DISPLAYS = 200;
/** Characters of log text. */
export const LOG_SIZE = 256 * 1024;
/** Characters of everything that one node shows. */
export const NODE_SIZE = 1024 * 1024;

/** The state with its log, displays and outputs cut to the limits; itself when it fits. */
export function bound(state: NodeState): NodeState {
  const log = tail(state.log, LOG_LINES, LOG_SIZE);
  const outputs = fitting(state.outputs, NODE_SIZE - log.length);
  const used = log.length + Object.values(outputs).reduce((sum, output) => sum + sizeOf(output), 0);
  const displays = newest(state.displays, DISPLAYS, NODE_SIZE - used);
  const same = log === state.log && outputs === state.outputs && displays === state.displays;
  return same ? state : { ...state, log, outputs, displays };
}

/** The last lines of a text, at most `size` characters. */
export function tail(text: string, lines: number, size: number): string {
  const short = text.length > size ? text.slice(text.length - size) : text;
  let at = short.endsWith('\n') ? short.length - 1 : short.length;
  for (let line = 0; line < lines; line += 1) {
    at = at > 0 ? short.lastIndexOf('\n', at - 1) : -1;
    if (at < 0) {
      return short;
    }
  }
  return short.slice(at + 1);
}

function newest(displays: readonly Bundle[], count: number, size: number): readonly Bundle[] {
  let room = size;
  let first = displays.length;
  while (first > 0 && displays.length - first < count) {
    room -= sizeOf(displays[first - 1] as Bundle);
    if (room < 0) {
      break;
    }
    first -= 1;
  }
  return first === 0 ? displays : displays.slice(first);
}

/** Outputs that are too big for the room left are named, not shown. */
function fitting(outputs: NodeState['outputs'], size: number): NodeState['outputs'] {
  let room = size;
  let cut = false;
  const kept = Object.entries(outputs).map(([port, preview]): [string, Preview] => {
    const needed = sizeOf(preview);
    if (needed <= room) {
      room -= needed;
      return [port, preview];
    }
    cut = true;
    return [port, { kind: 'object', type: preview.type, text: '', size: needed }];
  });
  return cut ? Object.fromEntries(kept) : outputs;
}

const sizes = new WeakMap<object, number>();

/** About how many characters a JSON value takes; remembered for objects, which never change. */
function sizeOf(value: Json | JsonObject | Bundle | Preview | undefined): number {
  if (typeof value === 'string') {
    return value.length;
  }
  if (typeof value !== 'object' || value === null) {
    return 8;
  }
  const known = sizes.get(value);
  if (known !== undefined) {
    return known;
  }
  const size = Object.entries(value).reduce(
    (sum, [key, item]) => sum + key.length + sizeOf(item as Json),
    0
  );
  sizes.set(value, size);
  return size;
}
