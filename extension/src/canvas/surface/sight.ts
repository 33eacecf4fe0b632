/** What of the surface is in sight, and how the view moves to show a node. */
import type { Rect } from '@xyflow/react';
import type { Viewport } from '../../core/controller';

/** Pixels between a node that is brought into sight and the edge. */
export const MARGIN = 24;
/** Room that is left over in pixels, from which on moving the view is of use. */
const USEFUL = 120;

/** The part of the surface that no panel covers, in its own pixels. */
export function freeRoom(surface: HTMLElement): Rect {
  const box = surface.getBoundingClientRect();
  let { left, right } = box;
  for (const dock of surface.closest('.iai-body')?.querySelectorAll('.iai-dock') ?? []) {
    const over = dock.getBoundingClientRect();
    if (dock.getAttribute('data-side') === 'left') {
      left = Math.max(left, over.right);
    } else if (dock.getAttribute('data-side') === 'right') {
      right = Math.min(right, over.left);
    }
  }
  return { x: left - box.left, y: 0, width: right - left, height: box.height };
}

/** How far the view must move so that a node, or its beginning, stands in a room. */
export function shift(node: Rect, view: Viewport, room: Rect): readonly [number, number] {
  const along = (at: number, size: number, from: number, length: number): number => {
    if (length < USEFUL) {
      return 0;
    }
    const first = from + MARGIN;
    const last = from + length - MARGIN - size;
    return at < first || last < first ? first - at : Math.min(0, last - at);
  };
  const { zoom } = view;
  return [
    along(node.x * zoom + view.x, node.width * zoom, room.x, room.width),
    along(node.y * zoom + view.y, node.height * zoom, room.y, room.height)
  ];
}
