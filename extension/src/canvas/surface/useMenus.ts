/** What clicks on the surface and on what stands there do, and the menus that they open. */
import { useMemo, type MouseEvent } from 'react';
import type { Controller } from '../../core/controller';
import { PARAMS } from '../../core/flow';
import type { MenuAt, Shared } from './lights';
import { edgeIndex, flowId, isCard, type AnyNode, type Wire } from './scene';
import type { FindWire } from './useStillWires';

/** Always the same functions: a new one would draw every node and wire again. */
export function useMenus(shared: Shared, wireAt: FindWire) {
  return useMemo(
    () => ({
      onNodeContextMenu: (event: MouseEvent, node: AnyNode) => openMenu(event, shared, node),
      onEdgeContextMenu: (event: MouseEvent, edge: Wire) => openMenu(event, shared, edge),
      onPaneContextMenu: (event: unknown) =>
        openMenu(event as MouseEvent, shared, wireAt(event as MouseEvent)),
      onSelectionContextMenu: (event: MouseEvent) => openMenu(event, shared, 'selection'),
      onNodeDoubleClick: (_event: unknown, node: AnyNode) => openNode(shared.controller, node),
      onPaneClick: (event: MouseEvent) => {
        const { controller } = shared;
        controller.look({ quick: null });
        const wire = wireAt(event);
        if (wire) {
          controller.select([], [edgeIndex(controller.flow, wire.id)]);
        }
      }
    }),
    [shared, wireAt]
  );
}

/** A double click on a card opens its only body, or else its setup. */
function openNode(controller: Controller, { id }: AnyNode): void {
  const [body, ...others] =
    controller.catalog.get().get(controller.flow.nodes[id]?.type ?? '')?.bodies ?? [];
  if (isCard(id) && body !== undefined && others.length === 0) {
    controller.openBody(id, body);
  } else if (isCard(id) || id === PARAMS) {
    controller.toggle('inspector', true);
  }
}

function openMenu(
  event: MouseEvent,
  shared: Shared,
  target: AnyNode | Wire | 'selection' | null
): void {
  event.preventDefault();
  event.stopPropagation();
  const { controller } = shared;
  const surface = (event.target as Element).closest('.iai-surface');
  const box = surface?.getBoundingClientRect();
  let about: MenuAt['about'] = 'surface';
  if (target === 'selection') {
    about = 'node';
  } else if (target && 'source' in target) {
    about = 'edge';
    controller.select([], [edgeIndex(controller.flow, target.id)]);
  } else if (target) {
    about = target.type === 'note' ? 'note' : target.type === 'frame' ? 'group' : 'node';
    if (!controller.view.get().selection.has(flowId(target.id))) {
      controller.select([flowId(target.id)]);
    }
  }
  shared.menu.set({ x: event.clientX - (box?.x ?? 0), y: event.clientY - (box?.y ?? 0), about });
}
