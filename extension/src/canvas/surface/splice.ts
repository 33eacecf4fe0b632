/** Which wire runs under a point. */
import type { ReactFlowInstance } from '@xyflow/react';
import type { AnyNode, Wire } from './scene';

type Point = { readonly x: number; readonly y: number };

/** How near the pointer must be, in pixels of the flow. */
const REACH = 14;
/** Points on each wire that are compared. */
const SAMPLES = 24;

/** The drawn wire that is nearest to a point of the flow, when it is near enough. */
export function wireAt(
  rf: ReactFlowInstance<AnyNode, Wire>,
  surface: HTMLElement,
  at: Point,
  reach = REACH
): string | null {
  let best: string | null = null;
  let least = reach;
  for (const element of surface.querySelectorAll<SVGGElement>('.react-flow__edge')) {
    const path = element.querySelector<SVGPathElement>('.react-flow__edge-path');
    const id = element.dataset['id'] ?? '';
    if (path && rf.getEdge(id) && isNear(path, at, reach)) {
      const distance = distanceTo(path, at);
      if (distance < least) {
        [best, least] = [id, distance];
      }
    }
  }
  return best;
}

function isNear(path: SVGPathElement, { x, y }: Point, reach: number): boolean {
  const box = path.getBBox();
  return (
    x > box.x - reach &&
    x < box.x + box.width + reach &&
    y > box.y - reach &&
    y < box.y + box.height + reach
  );
}

function distanceTo(path: SVGPathElement, { x, y }: Point): number {
  const length = path.getTotalLength();
  let least = Infinity;
  for (let sample = 0; sample <= SAMPLES; sample += 1) {
    const point = path.getPointAtLength((length * sample) / SAMPLES);
    least = Math.min(least, Math.hypot(point.x - x, point.y - y));
  }
  return least;
}
