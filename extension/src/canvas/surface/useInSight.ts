/** Keeps the selected node in sight when panels take room from the surface, or lie over it. */
import { useReactFlow, useStore as useSurfaceStore, useStoreApi, type Rect } from '@xyflow/react';
import { useEffect, useRef, type RefObject } from 'react';
import type { Controller, Viewport } from '../../core/controller';
import { useSelect } from '../hooks';
import { boxOf, type AnyNode, type Wire } from './scene';
import { motion } from './useDoor';

/** Pixels between a node that is brought into sight and the edge. */
const MARGIN = 24;
/** Room that is left over in pixels, from which on moving the view is of use. */
const USEFUL = 120;

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
      const [dx, dy] = shift(boxOf(node), view, room);
      if (dx !== 0 || dy !== 0) {
        void rf.setViewport({ x: x + dx, y: y + dy, zoom }, { duration: motion(120) });
      }
    }
  }, [panels, width, height, controller, rf, store, wrapper]);
}

/** Whether people saw the node; one that they moved away from is left where it is. */
function isSeen(node: Rect, { x, y, zoom }: Viewport, room: Rect): boolean {
  const left = node.x * zoom + x;
  const top = node.y * zoom + y;
  return (
    left + node.width * zoom > room.x + MARGIN &&
    left < room.x + room.width - MARGIN &&
    top + node.height * zoom > room.y + MARGIN &&
    top < room.y + room.height - MARGIN
  );
}

/** The part of the surface that no panel covers, in its own pixels. */
function freeRoom(surface: HTMLElement): Rect {
  const box = surface.getBoundingClientRect();
  let { left, right } = box;
  for (const dock of surface.closest('.iai-body')?.querySelectorAll('.iai-dock') ?? []) {
    const over = dock.getBoundingClientRect();
    if (dock.getAttribute('data-side') === 'left') {
      left = Math.max(left, over.right);
    } else if (dock.getAttribute('data-side') === 'right') {
      right = Math.min(right, over.left);
    }
  }
  return { x: left - box.left, y: 0, width: right - left, height: box.height };
}

/** How far the view must move so that a node, or its beginning, stands in a room. */
export function shift(node: Rect, view: Viewport, room: Rect): readonly [number, number] {
  const along = (at: number, size: number, from: number, length: number): number => {
    if (length < USEFUL) {
      return 0;
    }
    const first = from + MARGIN;
    const last = from + length - MARGIN - size;
    return at < first || last < first ? first - at : Math.min(0, last - at);
  };
  const { zoom } = view;
  return [
    along(node.x * zoom + view.x, node.width * zoom, room.x, room.width),
    along(node.y * zoom + view.y, node.height * zoom, room.y, room.height)
  ];
}
