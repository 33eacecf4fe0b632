/** Finds the wire at a point where many wires are one drawing, which the pointer goes through. */
import type { Wire } from './scene';
import { curve, type Drawn } from './wires';

export type Point = readonly [number, number];

/** A cubic curve: its ends, and between them what bends it. */
type Cubic = readonly [Point, Point, Point, Point];

/** Straight pieces that stand for a curve. */
const PIECES = 24;

/**
 * The wire that is nearest to a point of the flow; null: none is near.
 * @param reach how far away it may be, in units of the flow
 */
export function wireAt(
  wires: readonly Wire[],
  drawn: Drawn,
  point: Point,
  reach: number
): Wire | null {
  let found: Wire | null = null;
  let least = reach;
  for (const wire of wires) {
    const cubic = cubicOf(curve(wire, drawn));
    const away = cubic && mayBeNear(cubic, point, least) ? distance(cubic, point) : Infinity;
    if (away <= least) {
      [found, least] = [wire, away];
    }
  }
  return found;
}

/** The points of a path such as `M0,0 C10,0 20,5 30,5`; null: it is none. */
function cubicOf(path: string): Cubic | null {
  const numbers = path.match(/-?\d+(\.\d+)?(e-?\d+)?/g)?.map(Number) ?? [];
  const points = Array.from({ length: numbers.length / 2 }, (_, at): Point => [
    numbers[2 * at] ?? 0,
    numbers[2 * at + 1] ?? 0
  ]);
  return points.length === 4 ? (points as unknown as Cubic) : null;
}

/** A curve stays between its four points. */
function mayBeNear(cubic: Cubic, point: Point, reach: number): boolean {
  return [0, 1].every(axis => {
    const places = cubic.map(place => place[axis] ?? 0);
    const at = point[axis] ?? 0;
    return at >= Math.min(...places) - reach && at <= Math.max(...places) + reach;
  });
}

function distance(cubic: Cubic, point: Point): number {
  const along = Array.from({ length: PIECES + 1 }, (_, at) => place(cubic, at / PIECES));
  const pieces = along.slice(1).map((end, at) => toPiece(point, along[at] ?? end, end));
  return Math.min(...pieces);
}

function place([a, b, c, d]: Cubic, t: number): Point {
  const s = 1 - t;
  const at = (axis: 0 | 1): number =>
    s ** 3 * a[axis] + 3 * s * s * t * b[axis] + 3 * s * t * t * c[axis] + t ** 3 * d[axis];
  return [at(0), at(1)];
}

/** From a point to a straight piece. */
function toPiece([x, y]: Point, [x1, y1]: Point, [x2, y2]: Point): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : ((x - x1) * dx + (y - y1) * dy) / length;
  const t = Math.min(1, Math.max(0, share));
  return Math.hypot(x - x1 - t * dx, y - y1 - t * dy);
}
