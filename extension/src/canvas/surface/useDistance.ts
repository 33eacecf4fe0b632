/** From how far away the flow is seen: it says how much of a card can be read. */
import { useStore as useSurfaceStore } from '@xyflow/react';
import { useState } from 'react';
import { useSelect } from '../hooks';
import { useShared } from './context';
import { FAR, TINY } from './geometry';

export type Distance = 'near' | 'far' | 'tiny';

/** While one zooms it stays what it was: a thousand cards would change in the midst of it. */
export function useDistance(): Distance {
  const distance = useSurfaceStore(({ transform }) => distanceAt(transform[2]));
  const [settled, setSettled] = useState(distance);
  const isZooming = useSelect(useShared().gesture, gesture => gesture === 'zoom');
  if (!isZooming && settled !== distance) {
    setSettled(distance);
  }
  return settled;
}

export function distanceAt(zoom: number): Distance {
  if (zoom >= FAR) {
    return 'near';
  }
  return zoom >= TINY ? 'far' : 'tiny';
}
