/** Tells how the view is being moved. */
import { useMemo } from 'react';
import type { Shared } from './lights';

export function useGestures(shared: Shared) {
  return useMemo(
    () => ({
      onMoveStart: (event: unknown) =>
        shared.gesture.set(event === null || event instanceof WheelEvent ? 'zoom' : 'pan'),
      onMoveEnd: () => shared.gesture.set(null)
    }),
    [shared]
  );
}
