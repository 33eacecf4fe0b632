/** The dots behind everything. They move as a picture, so that moving the view paints nothing. */
import { useStore as useSurfaceStore } from '@xyflow/react';
import { GRID } from './geometry';

/** Least distance of two dots on the screen, in pixels. */
const LEAST = 14;

export function Dots() {
  const [x, y, zoom] = useSurfaceStore(state => state.transform);
  let gap = GRID * 1.5 * zoom;
  while (gap < LEAST) {
    gap *= 2;
  }
  const offset = (at: number): number => (((at % gap) + gap) % gap) - gap;
  return (
    <div
      className="iai-dots"
      aria-hidden="true"
      style={{
        backgroundSize: `${gap}px ${gap}px`,
        inset: `0 ${-2 * gap}px ${-2 * gap}px 0`,
        transform: `translate(${offset(x)}px, ${offset(y)}px)`
      }}
    />
  );
}
