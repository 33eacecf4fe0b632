/** What of the surface is in sight, and how the view moves to show a node. */
import type { Rect } from '@xyflow/react';
import type { Viewport } from '../../core/controller';

/** Pixels between a node that is brought into sight and the edge. */
export const MARGIN = 24;
/** The view of what is given in pixels of the surface. */
export const AS_IT_IS: Viewport = { x: 0, y: 0, zoom: 1 };
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

/** The same without what the tools at the lower edge cover of the column that something stands in. */
export function roomAbove(surface: HTMLElement, place: Rect): Rect {
  const room = freeRoom(surface);
  const corner = surface.getBoundingClientRect();
  const bottoms = [...surface.querySelectorAll('.iai-controls, .iai-map')]
    .map(tool => tool.getBoundingClientRect())
    .filter(tool => tool.left - corner.x < place.x + place.width && tool.right - corner.x > place.x)
    .map(tool => tool.top - corner.y);
  return { ...room, height: Math.min(room.height, ...bottoms) };
}

/**
 * How far the view must move so that something seen in part stands in a room, or its lower end where
 * all of it has no room; in pixels of the surface.
 */
export function shiftToEnd(place: Rect, room: Rect): readonly [number, number] {
  const height = Math.min(place.height, Math.max(0, room.height - 2 * MARGIN));
  const end = { ...place, y: place.y + place.height - height, height };
  const isMoved = isSeen(place, AS_IT_IS, room) && !isWithin(end, room);
  return isMoved ? shift(end, AS_IT_IS, room) : [0, 0];
}

function isWithin(place: Rect, room: Rect): boolean {
  return (
    place.x >= room.x &&
    place.y >= room.y &&
    place.x + place.width <= room.x + room.width &&
    place.y + place.height <= room.y + room.height
  );
}

/** Where a node stands on the surface. */
export function inPixels({ x, y, width, height }: Rect, view: Viewport): Rect {
  const { zoom } = view;
  return {
    x: x * zoom + view.x,
    y: y * zoom + view.y,
    width: width * zoom,
    height: height * zoom
  };
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
  const { x, y, width, height } = inPixels(node, view);
  return [along(x, width, room.x, room.width), along(y, height, room.y, room.height)];
}

/** Whether people see a node; one that they moved away from is left where it is. */
export function isSeen(node: Rect, view: Viewport, room: Rect): boolean {
  const { x, y, width, height } = inPixels(node, view);
  return (
    x + width > room.x + MARGIN &&
    x < room.x + room.width - MARGIN &&
    y + height > room.y + MARGIN &&
    y < room.y + room.height - MARGIN
  );
}
