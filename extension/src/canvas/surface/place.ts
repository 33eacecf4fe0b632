/** Putting new nodes onto the surface. */
import { attemptEdit } from '../../core/attempt';
import type { Controller, Wire } from '../../core/controller';
import { attach, insertOnEdge } from '../../core/edits/edges';
import { addNode, type Point } from '../../core/edits/nodes';
import type { Flow } from '../../core/flow';

/** MIME type of a dragged node type; the data is its name. */
export const NODE_MIME = 'application/x-iaiflow-node';

export interface Placing {
  /** A dangling wire that the node shall take. */
  readonly wire?: Wire | null;
  /** The edge that the node is put into; -1: none. */
  readonly edge?: number;
}

/** Add a node of `type` with its upper left corner at a point, select and focus it. */
export function placeNode(
  controller: Controller,
  type: string,
  at: Point,
  { wire = null, edge = -1 }: Placing = {}
): void {
  const catalog = controller.catalog.get();
  const found = catalog.get(type);
  if (!found || controller.readOnly) {
    return;
  }
  let added = '';
  const { trans } = controller.services;
  const done = attemptEdit(controller, trans('Add {title}', { title: found.title }), flow => {
    const spliced = edge >= 0 ? insertOnEdge(flow, catalog, edge, type, at) : null;
    const placed = spliced ?? addNode(flow, catalog, type, at);
    added = placed.id;
    return (wire && attach(placed.flow, catalog, wire, added)) || placed.flow;
  });
  if (done && added) {
    controller.select([added]);
    controller.say(trans('Added {title}.', { title: found.title }));
    requestAnimationFrame(() => controller.surface?.focus(added));
  }
}

/** Room of a node and the step to the next free place, in pixels of the flow. */
const [WIDTH, HEIGHT, STEP] = [240, 110, 32];

/** A point near `at` where a new node covers no other. */
export function freePlace(flow: Flow, [x, y]: Point): Point {
  const covered = Object.values(flow.layout).some(
    ([left, top]) => Math.abs(left - x) < WIDTH && Math.abs(top - y) < HEIGHT
  );
  return covered ? freePlace(flow, [x + STEP, y + STEP]) : [x, y];
}
