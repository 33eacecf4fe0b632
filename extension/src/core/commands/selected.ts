/** What is selected on the surface, by kind. */
import type { Controller } from '../controller';

/** Selected nodes of the open flow, in the flow's order. */
export function chosenNodes(controller: Controller): string[] {
  const { selection } = controller.view.get();
  return Object.keys(controller.flow.nodes).filter(id => selection.has(id));
}

export function chosenNotes(controller: Controller): string[] {
  const { selection } = controller.view.get();
  return controller.flow.notes.map(note => note.id).filter(id => selection.has(id));
}

export function chosenGroups(controller: Controller): string[] {
  const { selection } = controller.view.get();
  return controller.flow.groups.map(group => group.id).filter(id => selection.has(id));
}

/** Selected nodes and notes: what can be copied. */
export function chosenThings(controller: Controller): string[] {
  return [...chosenNodes(controller), ...chosenNotes(controller)];
}

/** Selected nodes, and those of selected groups. */
export function chosenMembers(controller: Controller): string[] {
  const { groups } = controller.flow;
  const chosen = new Set(chosenGroups(controller));
  const members = groups.filter(({ id }) => chosen.has(id)).flatMap(({ nodes }) => nodes);
  return [...new Set([...chosenNodes(controller), ...members])];
}

/** The only selected thing with a text of its own: a node, a note or a group; null: none, or several. */
export function onlyNamed(controller: Controller): string | null {
  const [first, ...others] = [...chosenThings(controller), ...chosenGroups(controller)];
  return first === undefined || others.length > 0 ? null : first;
}

/** The only selected node; null: none, or several. */
export function onlyNode(controller: Controller): string | null {
  const [first, ...others] = chosenNodes(controller);
  return first === undefined || others.length > 0 ? null : first;
}
