/** Where the problems of a flow stand on the surface: in which nested flow, on which node and field. */
import type { Scope } from './flow';
import type { Problem } from './protocol';

export interface Place {
  readonly scope: Scope;
  /** "" when it belongs to no node. */
  readonly node: string;
  /** Port, configuration field or setting of the node, or "". */
  readonly field: string;
  /** Index of an edge; null when it belongs to none. */
  readonly edge: number | null;
}

const NODE = /^nodes\.([A-Za-z_][\w-]*)(?:\.(.*))?$/s;
const BODY = /^config\.(\w+)\.((?:nodes|parameters|outputs)\..*|edges\[\d+\].*)$/s;
const EDGE = /^edges\[(\d+)\]/;

/** Read a place such as `nodes.each.config.body.nodes.x.config.url`. */
export function placeOf(problem: Problem): Place {
  const scope: [string, string][] = [];
  let rest = problem.place;
  for (;;) {
    const [, node = '', tail = ''] = NODE.exec(rest) ?? [];
    const [, field, inner] = BODY.exec(tail) ?? [];
    if (!node || field === undefined || inner === undefined) {
      return { scope, ...end(problem, rest, node, tail, scope.length === 0) };
    }
    scope.push([node, field]);
    rest = inner;
  }
}

function end(
  problem: Problem,
  rest: string,
  node: string,
  tail: string,
  outermost: boolean
): Omit<Place, 'scope'> {
  const edge = EDGE.exec(rest)?.[1];
  const field = tail.replace(/^config\./, '').split(/[.[]/)[0] ?? '';
  return {
    node: node || (outermost ? problem.node : ''),
    field: (outermost && problem.field) || field,
    edge: edge === undefined ? null : Number(edge)
  };
}

/** The problems of each node of an open scope; those inside its body are the body's. */
export function problemsByNode(
  problems: readonly Problem[],
  scope: Scope
): ReadonlyMap<string, readonly Problem[]> {
  const found = new Map<string, Problem[]>();
  for (const problem of problems) {
    const place = placeOf(problem);
    const inner = place.scope[scope.length];
    const [node, field] = inner ?? [place.node, place.field];
    if (node && within(place.scope, scope)) {
      found.set(node, [...(found.get(node) ?? []), { ...problem, node, field }]);
    }
  }
  return found;
}

function within(scope: Scope, outer: Scope): boolean {
  return outer.every(
    ([node, field], level) => scope[level]?.[0] === node && scope[level]?.[1] === field
  );
}
