/** Keeps what a canvas shows true to its document, whoever changes it: others, undo, the file. */
import type { Controller } from './controller';
import type { Edge, Flow, Scope } from './flow';
import { sameEdge } from './graph';
import { bodyOf, flowAt } from './scope';

/** Follow the document until the returned function is called. */
export function followDocument(controller: Controller): () => void {
  const { document, view } = controller;
  let root = document.flow.get();
  return document.flow.subscribe(() => {
    const before = root;
    root = document.flow.get();
    const { scope, edges } = view.get();
    const left = standing(root, scope);
    if (left < scope.length) {
      controller.closeBody(left);
    } else if (edges.size > 0) {
      keepEdges(controller, flowAt(before, scope).edges, flowAt(root, scope).edges);
    }
  });
}

/** How many steps of a scope still lead somewhere; a field may be empty before its first edit. */
function standing(root: Flow, scope: Scope): number {
  const gone = scope.findIndex(([id, field], depth) => {
    const node = flowAt(root, scope.slice(0, depth)).nodes[id];
    return !node || typeof bodyOf(node, field) === 'string';
  });
  return gone < 0 ? scope.length : gone;
}

/** Selected edges are known by their place, which others may change: the same edges stay selected. */
function keepEdges(controller: Controller, before: readonly Edge[], after: readonly Edge[]): void {
  if (before === after) {
    return;
  }
  const { edges, selection } = controller.view.get();
  const kept = [...edges].map(index => {
    const edge = before[index];
    return after.findIndex(other => edge !== undefined && sameEdge(edge, other));
  });
  controller.select(
    selection,
    kept.filter(index => index >= 0)
  );
}
