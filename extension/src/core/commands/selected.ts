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

/** The only selected node; null: none, or several. */
export function onlyNode(controller: Controller): string | null {
  const [first, ...others] = chosenNodes(controller);
  return first === undefined || others.length > 0 ? null : first;
}
