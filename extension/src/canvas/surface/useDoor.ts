/** What the surface lends to the verbs of the controller: `controller.surface`. */
import { useReactFlow, useStoreApi, type ReactFlowInstance } from '@xyflow/react';
import { useEffect, useRef, type RefObject } from 'react';
import type { Controller, Surface } from '../../core/controller';
import { mapSize, readableView, viewOfAll, type Size } from './fit';
import { MANY } from './geometry';
import { boxOf, flowId, groupKey, noteKey, type AnyNode, type Wire } from './scene';
import { freeRoom, roomAbove, shift, shiftToEnd } from './sight';

type Flow = ReactFlowInstance<AnyNode, Wire>;

/** Time of a movement of the view; none for people who asked for less motion. */
export function motion(milliseconds: number): number {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : milliseconds;
}

export function useDoor(controller: Controller, wrapper: RefObject<HTMLDivElement>): void {
  const rf = useReactFlow<AnyNode, Wire>();
  const store = useStoreApi();
  const pointer = useRef<readonly [number, number] | null>(null);
  const last = useLastFocus(wrapper);

  useEffect(() => {
    const element = wrapper.current;
    if (!element) {
      return undefined;
    }
    const note = (event: PointerEvent): void => {
      pointer.current = [event.clientX, event.clientY];
    };
    const forget = (): void => {
      pointer.current = null;
    };
    element.addEventListener('pointermove', note);
    element.addEventListener('pointerleave', forget);
    return () => {
      element.removeEventListener('pointermove', note);
      element.removeEventListener('pointerleave', forget);
    };
  }, [wrapper]);

  useEffect(() => {
    const corner = (): DOMRect | undefined => wrapper.current?.getBoundingClientRect();
    const center = (): readonly [number, number] => {
      const box = corner();
      return box ? place(rf, box.x + box.width / 2, box.y + box.height / 2) : [0, 0];
    };
    const door: Surface = {
      reveal: nodes => {
        // An edit that was made just now is on the surface with the next frame.
        requestAnimationFrame(() => {
          const surface = store.getState();
          const map = controller.view.get().minimap ? mapSize(surface) : null;
          reveal(rf, nodes, surface, map);
        });
      },
      show: element => {
        const box = element.getBoundingClientRect();
        const { x: left, y: top } = corner() ?? box;
        const { width, height } = box;
        const place = { x: box.x - left, y: box.y - top, width, height };
        const room = wrapper.current && roomAbove(wrapper.current, place);
        const [dx, dy] = room ? shiftToEnd(place, room) : [0, 0];
        if (dx !== 0 || dy !== 0) {
          const { x, y, zoom } = rf.getViewport();
          void rf.setViewport({ x: x + dx, y: y + dy, zoom }, { duration: motion(120) });
        }
      },
      center,
      pointer: () => (pointer.current ? place(rf, ...pointer.current) : center()),
      toScreen: ([x, y]) => {
        const box = corner();
        const at = rf.flowToScreenPosition({ x, y });
        return [at.x - (box?.x ?? 0), at.y - (box?.y ?? 0)];
      },
      sizes: () => {
        const boxes = rf.getNodes().map(node => [flowId(node.id), boxOf(node)] as const);
        return new Map(boxes.map(([id, { width, height }]) => [id, [width, height] as const]));
      },
      focus: node => focus(rf, wrapper.current, store.getState().transform, node),
      back: () => {
        const target = last.current?.isConnected ? last.current : wrapper.current;
        target?.focus({ preventScroll: true });
      },
      zoom: factor => void rf.zoomTo(rf.getZoom() * factor, { duration: motion(120) })
    };
    return controller.lend(door);
  }, [controller, rf, store, wrapper, last]);
}

/** The thing on the surface that had the focus last; null: the surface itself. */
function useLastFocus(wrapper: RefObject<HTMLElement>): RefObject<HTMLElement> {
  const last = useRef<HTMLElement | null>(null);
  useEffect(() => {
    const element = wrapper.current;
    const note = ({ target }: FocusEvent): void => {
      if (target === element) {
        last.current = null;
      } else if (target instanceof HTMLElement && target.matches('.react-flow__node')) {
        last.current = target;
      }
    };
    element?.addEventListener('focusin', note);
    return () => element?.removeEventListener('focusin', note);
  }, [wrapper]);
  return last;
}

function place(rf: Flow, x: number, y: number): readonly [number, number] {
  const at = rf.screenToFlowPosition({ x, y }, { snapToGrid: false });
  return [at.x, at.y];
}

/** The surface's node for an id of the flow. */
function find(rf: Flow, id: string): AnyNode | undefined {
  return rf.getNode(id) ?? rf.getNode(noteKey(id)) ?? rf.getNode(groupKey(id));
}

function reveal(rf: Flow, ids: readonly string[], surface: Size, map: Size | null): void {
  const nodes = ids.length > 0 ? ids.flatMap(id => find(rf, id) ?? []) : rf.getNodes();
  if (nodes.length > 0) {
    const few = rf.getNodes().length <= MANY;
    const view = (few ? readableView : viewOfAll)(rf.getNodesBounds(nodes), surface, map);
    void rf.setViewport(view, { duration: motion(200) });
  }
}

/** Focus a node, after bringing it into sight: only what is in sight is in the page. */
function focus(
  rf: Flow,
  wrapper: HTMLElement | null,
  [x, y, zoom]: readonly [number, number, number],
  id?: string
): void {
  const node = id === undefined ? undefined : find(rf, id);
  if (!node || !wrapper) {
    wrapper?.focus({ preventScroll: true });
    return;
  }
  const [dx, dy] = shift(boxOf(node), { x, y, zoom }, freeRoom(wrapper));
  if (dx !== 0 || dy !== 0) {
    void rf.setViewport({ x: x + dx, y: y + dy, zoom });
  }
  focusSoon(wrapper, node.id, 3);
}

function focusSoon(wrapper: HTMLElement, key: string, frames: number): void {
  const element = wrapper.querySelector<HTMLElement>(
    `.react-flow__node[data-id="${CSS.escape(key)}"]`
  );
  if (element) {
    element.focus({ preventScroll: true });
  } else if (frames > 0) {
    requestAnimationFrame(() => focusSoon(wrapper, key, frames - 1));
  }
}
