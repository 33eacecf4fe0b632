/** Brings a flow into sight when it is opened, and never moves the view by itself afterwards. */
import { useReactFlow, useStore as useSurfaceStore } from '@xyflow/react';
import { useEffect, useRef } from 'react';
import type { Scope } from '../../core/flow';
import { boxOf, type AnyNode, type Wire } from './scene';

/** Flows with more nodes open on a part: all of them at once would be dust, and slow to draw. */
const HUGE = 1500;
const LEAST_ZOOM = 0.15;

export function useFit(scope: Scope, nodes: readonly AnyNode[]): void {
  const rf = useReactFlow<AnyNode, Wire>();
  const ready = useSurfaceStore(state => state.width > 0 && state.height > 0);
  const fitted = useRef<Scope | null>(null);
  const empty = useRef<Scope | null>(null);
  useEffect(() => {
    if (!ready || fitted.current === scope) {
      return;
    }
    if (nodes.length === 0) {
      empty.current = scope;
      void rf.setViewport({ x: 0, y: 0, zoom: 1 });
      return;
    }
    fitted.current = scope;
    const [only] = nodes;
    if (nodes.length > 1) {
      // Cards grow when they are first measured.
      const minZoom = nodes.length > HUGE ? LEAST_ZOOM : undefined;
      requestAnimationFrame(() => void rf.fitView({ minZoom, maxZoom: 1, padding: 0.1 }));
    } else if (only && empty.current !== scope) {
      const box = boxOf(only);
      void rf.setCenter(box.x + box.width / 2, box.y + box.height / 2, { zoom: 1 });
    }
  }, [ready, scope, nodes, rf]);
}
