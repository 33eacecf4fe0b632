/** Points at wires of a large flow that are only drawn: the nearest one at the pointer is meant. */
import { useReactFlow } from '@xyflow/react';
import { useCallback, useEffect, useRef } from 'react';
import { wireAt } from './nearWire';
import type { AnyNode, Wire } from './scene';
import type { Strung } from './useDrawing';

/** How far from the wire the pointer may be, in pixels. */
const REACH = 9;

export type FindWire = (event: {
  readonly clientX: number;
  readonly clientY: number;
}) => Wire | null;

/** Always the same function; null: no such wire is near. */
export function useStillWires(strung: Strung): FindWire {
  const rf = useReactFlow<AnyNode, Wire>();
  const latest = useRef(strung);
  useEffect(() => {
    latest.current = strung;
  });
  return useCallback<FindWire>(
    ({ clientX, clientY }) => {
      const { x, y } = rf.screenToFlowPosition({ x: clientX, y: clientY }, { snapToGrid: false });
      const { wires, drawn } = latest.current;
      return wireAt(wires, drawn, [x, y], REACH / rf.getZoom());
    },
    [rf]
  );
}
