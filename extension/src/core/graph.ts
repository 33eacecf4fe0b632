/** How the nodes of a flow hang together. Answers are kept as long as the flow's edges are. */
import type { Edge, Flow } from './flow';

export interface IndexedEdge extends Edge {
  /** Position in `flow.edges`. */
  readonly index: number;
}

/** Whether two edges join the same ports. */
export function sameEdge(one: Edge, other: Edge): boolean {
  return (
    one.source === other.source &&
    one.sourcePort === other.sourcePort &&
    one.target === other.target &&
    one.targetPort === other.targetPort
  );
}

interface Links {
  readonly into: ReadonlyMap<string, readonly IndexedEdge[]>;
  readonly outOf: ReadonlyMap<string, readonly IndexedEdge[]>;
  readonly below: Map<string, ReadonlySet<string>>;
  readonly above: Map<string, ReadonlySet<string>>;
}

const NONE: readonly IndexedEdge[] = [];
const known = new WeakMap<readonly Edge[], Links>();

function links(flow: Flow): Links {
  let found = known.get(flow.edges);
  if (!found) {
    const into = new Map<string, IndexedEdge[]>();
    const outOf = new Map<string, IndexedEdge[]>();
    flow.edges.forEach((edge, index) => {
      const indexed = { ...edge, index };
      put(into, edge.target, indexed);
      put(outOf, edge.source, indexed);
    });
    found = { into, outOf, below: new Map(), above: new Map() };
    known.set(flow.edges, found);
  }
  return found;
}

function put(map: Map<string, IndexedEdge[]>, key: string, edge: IndexedEdge): void {
  const list = map.get(key);
  if (list) {
    list.push(edge);
  } else {
    map.set(key, [edge]);
  }
}

/** Edges that end at a node, in order. */
export function edgesInto(flow: Flow, id: string): readonly IndexedEdge[] {
  return links(flow).into.get(id) ?? NONE;
}

/** Edges that start at a node (or at `params`), in order. */
export function edgesFrom(flow: Flow, id: string): readonly IndexedEdge[] {
  return links(flow).outOf.get(id) ?? NONE;
}

/** All nodes that can be reached from a node; itself only when it is on a cycle. */
export function below(flow: Flow, id: string): ReadonlySet<string> {
  return kept(links(flow).below, id, () =>
    reach(id, node => edgesFrom(flow, node).map(edge => edge.target))
  );
}

/** All nodes from which a node can be reached; itself only when it is on a cycle. */
export function above(flow: Flow, id: string): ReadonlySet<string> {
  return kept(links(flow).above, id, () =>
    reach(id, node => edgesInto(flow, node).map(edge => edge.source))
  );
}

function kept<T>(known: Map<string, T>, id: string, find: () => T): T {
  const found = known.get(id) ?? find();
  known.set(id, found);
  return found;
}

function reach(start: string, next: (id: string) => readonly string[]): Set<string> {
  const seen = new Set<string>();
  const todo = [start];
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    for (const other of next(id)) {
      if (!seen.has(other)) {
        seen.add(other);
        todo.push(other);
      }
    }
  }
  return seen;
}

/** Nodes that no other node follows, in the flow's order. */
export function sinks(flow: Flow): string[] {
  return Object.keys(flow.nodes).filter(id => edgesFrom(flow, id).length === 0);
}

/** The nodes so that each stands after all that it depends on; those on a cycle are left out. */
export function ordered(flow: Flow): string[] {
  const waiting = new Map(
    Object.keys(flow.nodes).map(id => {
      const before = edgesInto(flow, id).filter(edge => Object.hasOwn(flow.nodes, edge.source));
      return [id, before.length];
    })
  );
  const ready = [...waiting].filter(([, count]) => count === 0).map(([id]) => id);
  for (const id of ready) {
    for (const { target } of edgesFrom(flow, id)) {
      const left = (waiting.get(target) ?? 0) - 1;
      waiting.set(target, left);
      if (left === 0) {
        ready.push(target);
      }
    }
  }
  return ready;
}
