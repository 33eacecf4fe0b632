/** Brings a flow into sight when it is opened: where it was looked at last, else as a whole. */
import {
  getViewportForBounds,
  useReactFlow,
  useStore as useSurfaceStore,
  useStoreApi,
  type Rect
} from '@xyflow/react';
import { useEffect, useRef } from 'react';
import { scopeKey, type Viewport } from '../../core/controller';
import type { Scope } from '../../core/flow';
import { useController } from '../hooks';
import { boxOf, type AnyNode, type Wire } from './scene';

/** A flow that is legible only when it is larger than the surface opens on its beginning. */
const LEGIBLE = 0.5;
const MARGIN = 32;

export function useFit(scope: Scope, nodes: readonly AnyNode[]): void {
  const { viewports } = useController();
  const rf = useReactFlow<AnyNode, Wire>();
  const store = useStoreApi<AnyNode, Wire>();
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
    const kept = viewports.get().get(scopeKey(scope));
    const { width, height } = store.getState();
    fitted.current = scope;
    const [only] = nodes;
    if (kept && shows(kept, rf.getNodesBounds([...nodes]), width, height)) {
      void rf.setViewport(kept);
    } else if (nodes.length > 1) {
      // Cards grow when they are first measured.
      requestAnimationFrame(() => {
        const { width, height } = store.getState();
        void rf.setViewport(openingView(rf.getNodesBounds([...nodes]), width, height));
      });
    } else if (only && empty.current !== scope) {
      const box = boxOf(only);
      void rf.setCenter(box.x + box.width / 2, box.y + box.height / 2, { zoom: 1 });
    }
  }, [ready, scope, nodes, rf, store, viewports]);
  useEffect(
    () =>
      store.subscribe(({ transform }, before) => {
        if (transform !== before.transform && fitted.current === scope) {
          const [x, y, zoom] = transform;
          viewports.update(known => new Map(known).set(scopeKey(scope), { x, y, zoom }));
        }
      }),
    [store, scope, viewports]
  );
}

/** Whether some of it would be in sight. */
export function shows(
  { x, y, zoom }: Viewport,
  bounds: Rect,
  width: number,
  height: number
): boolean {
  const left = bounds.x * zoom + x;
  const top = bounds.y * zoom + y;
  return (
    left < width - MARGIN &&
    top < height - MARGIN &&
    left + bounds.width * zoom > MARGIN &&
    top + bounds.height * zoom > MARGIN
  );
}

/** All of it when that is legible; else its left side, from the top when it is also too high. */
export function openingView(bounds: Rect, width: number, height: number): Viewport {
  const all = getViewportForBounds(bounds, width, height, 0.05, 1, 0.1);
  if (all.zoom >= LEGIBLE) {
    return all;
  }
  const zoom = LEGIBLE;
  const isHigh = bounds.height * zoom > height - 2 * MARGIN;
  return {
    x: MARGIN - bounds.x * zoom,
    y: isHigh ? MARGIN - bounds.y * zoom : height / 2 - (bounds.y + bounds.height / 2) * zoom,
    zoom
  };
}
