/**
 * Where things are on a card. Ports stand in rows of fixed height under a header of fixed height, so
 * that wires can be drawn to nodes that were never on screen. `surface.css` uses the same numbers.
 */
import { Position, type NodeHandle } from '@xyflow/react';
import type { Port } from '../../core/catalog';

export const CARD_WIDTH = 224;
export const HEADER = 46;
export const PORTS_PADDING = 7;
export const ROW = 22;
/** Diameter of a port's dot; wires begin and end at its rim. */
export const HANDLE = 10;
export const GRID = 16;
/** Room between a group's frame and its nodes; the title stands in the upper part. */
export const GROUP_PADDING = 20;
export const GROUP_TITLE = 30;
/** Below this zoom cards are plain boxes. */
export const FAR = 0.45;
/** Below this zoom nothing can be read. */
export const TINY = 0.25;
/** A flow is not fitted in at a smaller zoom, unless it has many nodes. */
export const LEAST = 0.2;
/** With more nodes than this, only those in sight are shown whole. */
export const MANY = 150;
/** With more nodes than this, only those in sight are in the page at all. */
export const MOST = 2_000;

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Height of a card that shows nothing but its ports. */
export function cardHeight(inputs: number, outputs: number): number {
  const rows = Math.max(inputs, outputs);
  return HEADER + (rows > 0 ? rows * ROW + 2 * PORTS_PADDING : 0);
}

/** Middle of a row of ports, from the card's upper edge. */
export function rowMiddle(row: number): number {
  return HEADER + PORTS_PADDING + row * ROW + ROW / 2;
}

/** Where the ports of a card are, for wires. */
export function handlesOf(inputs: readonly Port[], outputs: readonly Port[]): NodeHandle[] {
  const place = (port: Port, row: number, source: boolean): NodeHandle => ({
    id: port.name,
    type: source ? 'source' : 'target',
    position: source ? Position.Right : Position.Left,
    x: (source ? CARD_WIDTH : 0) - HANDLE / 2,
    y: rowMiddle(row) - HANDLE / 2,
    width: HANDLE,
    height: HANDLE
  });
  return [
    ...inputs.map((port, row) => place(port, row, false)),
    ...outputs.map((port, row) => place(port, row, true))
  ];
}

/** The smallest box around others; null when there are none. */
export function around(boxes: readonly Box[]): Box | null {
  if (boxes.length === 0) {
    return null;
  }
  const x = Math.min(...boxes.map(box => box.x));
  const y = Math.min(...boxes.map(box => box.y));
  const right = Math.max(...boxes.map(box => box.x + box.width));
  const bottom = Math.max(...boxes.map(box => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/** The key of the nearest box in a direction from another; null when there is none. */
export function nearest(
  boxes: ReadonlyMap<string, Box>,
  from: string,
  direction: Direction
): string | null {
  const start = boxes.get(from);
  let best: string | null = null;
  let least = Infinity;
  for (const [key, box] of start ? boxes : []) {
    const distance = key === from || !start ? Infinity : along(start, box, direction);
    if (distance < least) {
      [best, least] = [key, distance];
    }
  }
  return best;
}

/** Distance in a direction; going sideways counts double, going back is out of the question. */
function along(from: Box, to: Box, direction: Direction): number {
  const dx = to.x + to.width / 2 - (from.x + from.width / 2);
  const dy = to.y + to.height / 2 - (from.y + from.height / 2);
  const sideways = direction === 'left' || direction === 'right';
  const ahead = sideways ? dx : dy;
  const forward = direction === 'right' || direction === 'down' ? ahead : -ahead;
  const across = Math.abs(sideways ? dy : dx);
  return forward <= 1 || across > forward * 4 ? Infinity : forward + 2 * across;
}
