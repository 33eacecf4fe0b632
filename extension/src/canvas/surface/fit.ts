/** Where the view goes so that all of something is in sight, and nothing of it under the tools. */
import { getViewportForBounds, type Rect } from '@xyflow/react';
import type { Viewport } from '../../core/controller';
import { LEAST, MANY, TINY } from './geometry';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Pixels left free around what is fitted in. */
export const MARGIN = 24;
/** Pixels between a tool and the edge of the surface, and between it and what is fitted in. */
const EDGE = 15;
const GAP = 9;
/** Height in pixels of the zoom bar, in the lower left corner. */
const BAR = 32;

const LARGE: Size = { width: 190, height: 130 };
const SMALL: Size = { width: 120, height: 82 };
/** Sizes of the surface from which on there is room for the large and the small map. */
const ROOM_FOR_LARGE: Size = { width: 700, height: 420 };
const ROOM_FOR_SMALL: Size = { width: 380, height: 300 };

/** How large the map of the flow is, in the lower right corner; null: there is no room for one. */
export function mapSize(surface: Size): Size | null {
  if (holds(surface, ROOM_FOR_LARGE)) {
    return LARGE;
  }
  return holds(surface, ROOM_FOR_SMALL) ? SMALL : null;
}

function holds(surface: Size, room: Size): boolean {
  return surface.width >= room.width && surface.height >= room.height;
}

/**
 * The largest view of it all, not above its real size.
 * @param map what lies in the lower right corner; null: nothing
 */
export function viewOfAll(bounds: Rect, { width, height }: Size, map: Size | null): Viewport {
  const view = (right: number, bottom: number): Viewport =>
    getViewportForBounds(bounds, width, height, 0.05, 1, {
      top: `${MARGIN}px`,
      left: `${MARGIN}px`,
      right: `${right}px`,
      bottom: `${bottom}px`
    });
  const overBar = EDGE + BAR + GAP;
  if (!map) {
    return view(MARGIN, overBar);
  }
  const above = view(MARGIN, EDGE + map.height + GAP);
  const beside = view(EDGE + map.width + GAP, overBar);
  return beside.zoom > above.zoom ? beside : above;
}

/** The view of it all where names can be read in that, else of its beginning. */
export function readableView(bounds: Rect, surface: Size, map: Size | null): Viewport {
  const all = viewOfAll(bounds, surface, map);
  return all.zoom < LEAST ? viewOfBeginning(bounds, surface, LEAST) : all;
}

/** Where work begins on a flow that is too large to be shown whole: its cards are shown whole then. */
const BEGINNING = 0.5;

/**
 * The view of a flow that is opened. People look first at what there is: that is all of it, as long
 * as names can be read, which in large flows stand in smaller letters. Of a larger one nothing is
 * gained by the smallest letters: it opens on its beginning, near enough to work there.
 * @param count how many things are in it
 */
export function openingView(
  bounds: Rect,
  surface: Size,
  map: Size | null,
  count: number
): Viewport {
  const all = viewOfAll(bounds, surface, map);
  const isReadable = all.zoom >= (count <= MANY ? LEAST : TINY);
  return isReadable ? all : viewOfBeginning(bounds, surface, BEGINNING);
}

/** The left side of it, from the top when it is also too high. */
export function viewOfBeginning(bounds: Rect, { height }: Size, zoom: number): Viewport {
  const isHigh = bounds.height * zoom > height - 2 * MARGIN;
  return {
    x: MARGIN - bounds.x * zoom,
    y: isHigh ? MARGIN - bounds.y * zoom : height / 2 - (bounds.y + bounds.height / 2) * zoom,
    zoom
  };
}
