/** Nested flows: the one that a scope names, and edits inside it. */
import type { Flow, FlowNode, Scope } from './flow';

/** The inline flow in a field of a node, the path of a file, or null when there is neither. */
export function bodyOf(node: FlowNode | undefined, field: string): Flow | string | null {
  throw new Error(`${node?.type}.${field}`);
}

/** The flow that a scope names; an empty one when it is gone. */
export function flowAt(root: Flow, scope: Scope): Flow {
  throw new Error(`${root.name}${scope.length}`);
}

/** Edit the flow that a scope names; a scope that is gone changes nothing. */
export function withFlowAt(root: Flow, scope: Scope, change: (flow: Flow) => Flow): Flow {
  throw new Error(`${root.name}${scope.length}${change.name}`);
}
