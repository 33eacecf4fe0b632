/** What comes of it when nodes are dragged. */
import { useCallback, type RefObject } from 'react';
import { splice } from '../../core/edits/edges';
import type { Flow } from '../../core/flow';
import type { Shared } from './lights';
import { boxOf, edgeIndex, isCard, type AnyNode } from './scene';
import { wireUnder } from './splice';

/** One edit at the end of a drag; a lone node that is dropped onto a wire goes into it. */
export function useDragging(
  shared: Shared,
  wrapper: RefObject<HTMLDivElement>,
  settle: (also?: (flow: Flow) => Flow) => void
) {
  const { controller } = shared;
  const onNodeDrag = useCallback(
    (_event: unknown, node: AnyNode, nodes: AnyNode[]) => {
      const lone = nodes.length === 1 && isCard(node.id) && isUnwired(controller.flow, node.id);
      const wire = lone && wrapper.current && wireUnder(wrapper.current, boxOf(node));
      const goes =
        wire &&
        splice(
          controller.flow,
          controller.catalog.get(),
          edgeIndex(controller.flow, wire),
          node.id
        );
      shared.splice.set(goes && wire ? wire : null);
    },
    [shared, controller, wrapper]
  );
  const onNodeDragStop = useCallback(
    (_event: unknown, node: AnyNode | undefined) => {
      const wire = shared.splice.get();
      shared.splice.set(null);
      settle(flow =>
        wire && node
          ? (splice(flow, controller.catalog.get(), edgeIndex(flow, wire), node.id) ?? flow)
          : flow
      );
    },
    [shared, controller, settle]
  );
  const onSelectionDragStop = useCallback(() => settle(), [settle]);
  return { onNodeDrag, onNodeDragStop, onSelectionDragStop };
}

function isUnwired(flow: Flow, id: string): boolean {
  return !flow.edges.some(edge => edge.source === id || edge.target === id);
}
