/** Keeps the selected node in sight when panels take room from the surface, or lie over it. */
import { useReactFlow, useStore as useSurfaceStore, useStoreApi, type Rect } from '@xyflow/react';
import { useEffect, useRef, type RefObject } from 'react';
import type { Controller } from '../../core/controller';
import { useSelect } from '../hooks';
import { boxOf, type AnyNode, type Wire } from './scene';
import { AS_IT_IS, freeRoom, inPixels, isSeen, roomAbove, shift } from './sight';
import { motion } from './useDoor';

export function useInSight(controller: Controller, wrapper: RefObject<HTMLElement>): void {
  const rf = useReactFlow<AnyNode, Wire>();
  const store = useStoreApi<AnyNode, Wire>();
  const panels = useSelect(controller.view, view => view.panels);
  const width = useSurfaceStore(state => state.width);
  const height = useSurfaceStore(state => state.height);
  const before = useRef<Rect | null>(null);
  useEffect(() => {
    if (!wrapper.current || width === 0) {
      return;
    }
    const room = freeRoom(wrapper.current);
    const was = before.current;
    before.current = room;
    const [only, ...others] = controller.view.get().selection;
    const node = only === undefined || others.length > 0 ? undefined : rf.getNode(only);
    const [x, y, zoom] = store.getState().transform;
    const view = { x, y, zoom };
    if (was && node && isSeen(boxOf(node), view, was)) {
      const place = inPixels(boxOf(node), view);
      const [dx, dy] = shift(place, AS_IT_IS, roomAbove(wrapper.current, place));
      if (dx !== 0 || dy !== 0) {
        void rf.setViewport({ x: x + dx, y: y + dy, zoom }, { duration: motion(120) });
      }
    }
  }, [panels, width, height, controller, rf, store, wrapper]);
}
