/** Edits of positions. */
import type { Flow } from '../flow';
import type { Sizes } from '../layout';
import { type Point, rounded } from './nodes';

export type Alignment = 'left' | 'center' | 'right' | 'top' | 'middle' | 'bottom';
export type Axis = 'horizontal' | 'vertical';

/** What a node measures until it has been drawn, in pixels. */
export const DEFAULT_SIZE: readonly [width: number, height: number] = [220, 90];

interface Box {
  readonly id: string;
  readonly at: Point;
  readonly size: readonly [width: number, height: number];
}

/** Move nodes and notes, by id; the rest stays. */
export function move(flow: Flow, positions: ReadonlyMap<string, Point>): Flow {
  const layout = { ...flow.layout };
  let isMoved = false;
  for (const [id, at] of positions) {
    const next = rounded(at);
    const before = layout[id];
    if (Object.hasOwn(flow.nodes, id) && (before?.[0] !== next[0] || before[1] !== next[1])) {
      layout[id] = next;
      isMoved = true;
    }
  }
  const notes = movedNotes(flow.notes, positions);
  return isMoved || notes !== flow.notes
    ? { ...flow, layout: isMoved ? layout : flow.layout, notes }
    : flow;
}

function movedNotes(notes: Flow['notes'], positions: ReadonlyMap<string, Point>): Flow['notes'] {
  let isMoved = false;
  const next = notes.map(note => {
    const at = positions.get(note.id);
    const [x, y] = at ? rounded(at) : [note.x, note.y];
    if (x === note.x && y === note.y) {
      return note;
    }
    isMoved = true;
    return { ...note, x, y };
  });
  return isMoved ? next : notes;
}

/** Bring nodes and notes to a common edge or middle line. */
export function align(flow: Flow, ids: Iterable<string>, how: Alignment, sizes: Sizes): Flow {
  const boxes = boxesOf(flow, ids, sizes);
  if (boxes.length < 2) {
    return flow;
  }
  const axis = how === 'left' || how === 'center' || how === 'right' ? 0 : 1;
  const starts = boxes.map(box => box.at[axis]);
  const ends = boxes.map(box => box.at[axis] + box.size[axis]);
  const [low, high] = [Math.min(...starts), Math.max(...ends)];
  const place = (size: number): number => {
    if (how === 'left' || how === 'top') {
      return low;
    }
    return how === 'right' || how === 'bottom' ? high - size : (low + high - size) / 2;
  };
  return move(
    flow,
    placed(boxes, axis, box => place(box.size[axis]))
  );
}

/** Leave equal gaps between nodes; the outermost two stay. */
export function distribute(flow: Flow, ids: Iterable<string>, axis: Axis, sizes: Sizes): Flow {
  const side = axis === 'horizontal' ? 0 : 1;
  const middle = (box: Box): number => box.at[side] + box.size[side] / 2;
  const boxes = boxesOf(flow, ids, sizes).sort((a, b) => middle(a) - middle(b));
  const [first, last] = [boxes[0], boxes[boxes.length - 1]];
  if (!first || !last || boxes.length < 3) {
    return flow;
  }
  const room = last.at[side] + last.size[side] - first.at[side];
  const filled = boxes.reduce((sum, box) => sum + box.size[side], 0);
  const gap = (room - filled) / (boxes.length - 1);
  let next = first.at[side];
  const starts = new Map(
    boxes.map(box => {
      const start = next;
      next += box.size[side] + gap;
      return [box.id, start];
    })
  );
  return move(
    flow,
    placed(boxes, side, box => starts.get(box.id) ?? box.at[side])
  );
}

function placed(boxes: readonly Box[], axis: 0 | 1, to: (box: Box) => number): Map<string, Point> {
  return new Map(
    boxes.map(box => [box.id, axis === 0 ? [to(box), box.at[1]] : [box.at[0], to(box)]])
  );
}

function boxesOf(flow: Flow, ids: Iterable<string>, sizes: Sizes): Box[] {
  const notes = new Map(flow.notes.map(note => [note.id, note]));
  return [...new Set(ids)].flatMap(id => {
    const note = notes.get(id);
    if (note) {
      return [{ id, at: [note.x, note.y] as Point, size: [note.width, note.height] as const }];
    }
    const at = flow.layout[id] ?? [0, 0];
    const size = sizes.get(id) ?? DEFAULT_SIZE;
    return Object.hasOwn(flow.nodes, id) ? [{ id, at, size }] : [];
  });
}
