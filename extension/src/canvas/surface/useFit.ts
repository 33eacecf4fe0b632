/** Brings a flow into sight when it is opened: where it was looked at last, else as a whole. */
import { useReactFlow, useStore as useSurfaceStore, useStoreApi, type Rect } from '@xyflow/react';
import { useEffect, useRef } from 'react';
import { scopeKey, type Viewport } from '../../core/controller';
import type { Scope } from '../../core/flow';
import { useController } from '../hooks';
import { mapSize, MARGIN, openingView } from './fit';
import { boxOf, type AnyNode, type Wire } from './scene';

export function useFit(scope: Scope, nodes: readonly AnyNode[]): void {
  const { viewports, view } = useController();
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
        const surface = store.getState();
        const map = view.get().minimap ? mapSize(surface) : null;
        void rf.setViewport(openingView(rf.getNodesBounds([...nodes]), surface, map, nodes.length));
      });
    } else if (only && empty.current !== scope) {
      const box = boxOf(only);
      void rf.setCenter(box.x + box.width / 2, box.y + box.height / 2, { zoom: 1 });
    }
  }, [ready, scope, nodes, rf, store, view, viewports]);
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
