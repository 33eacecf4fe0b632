/** Which wire runs under something that is dragged. */
import { around, type Box } from './geometry';

/** Points on each wire that are compared. */
const SAMPLES = 24;

/** The drawn wire that runs through a box of the flow, nearest to its middle; null: none does. */
export function wireUnder(surface: HTMLElement, box: Box): string | null {
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  let best: string | null = null;
  let least = Infinity;
  for (const element of surface.querySelectorAll<SVGGElement>('.react-flow__edge')) {
    const path = element.querySelector<SVGPathElement>('.react-flow__edge-path');
    if (path && meets(path.getBBox(), box)) {
      for (const point of inside(path, box)) {
        const distance = Math.hypot(point.x - x, point.y - y);
        if (distance < least) {
          [best, least] = [element.dataset['id'] ?? null, distance];
        }
      }
    }
  }
  return best;
}

/** A square around a point of the flow. */
export function square({ x, y }: { x: number; y: number }, side: number): Box {
  return { x: x - side / 2, y: y - side / 2, width: side, height: side };
}

function meets(one: Box, other: Box): boolean {
  const both = around([one, other]);
  return (
    both !== null &&
    both.width <= one.width + other.width &&
    both.height <= one.height + other.height
  );
}

function inside(path: SVGPathElement, box: Box): DOMPoint[] {
  const length = path.getTotalLength();
  return Array.from({ length: SAMPLES + 1 }, (_, sample) =>
    path.getPointAtLength((length * sample) / SAMPLES)
  ).filter(
    ({ x, y }) => x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height
  );
}
