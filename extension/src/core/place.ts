/** Putting a new node of a type onto the surface. */
import { attemptEdit, translatorOf } from './attempt';
import type { Controller, Wire } from './controller';
import { attach } from './edits/edges';
import { addNode, type Point } from './edits/nodes';

/** MIME type of a node type's name while it is dragged from the palette. */
export const NODE_MIME = 'application/x-iaiflow-node';

/** Add a node, connect a dangling wire to it, and select it; null: it was refused. */
export function placeNode(
  controller: Controller,
  type: string,
  at: Point,
  wire: Wire | null = null
): string | null {
  const catalog = controller.catalog.get();
  let made = '';
  const label = translatorOf(controller)('Add a node');
  const done = attemptEdit(controller, label, flow => {
    const { flow: added, id } = addNode(flow, catalog, type, at);
    made = id;
    return (wire && attach(added, catalog, wire, id)) ?? added;
  });
  if (!done || !made) {
    return null;
  }
  controller.select([made]);
  controller.say(translatorOf(controller)('Added {node}', { node: made }));
  return made;
}
