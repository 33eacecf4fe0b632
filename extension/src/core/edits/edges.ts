/** Edits of connections. */
import type { Catalog } from '../catalog';
import type { Wire } from '../controller';
import type { Edge, Flow } from '../flow';
import { below, edgesFrom, edgesInto } from '../graph';
import { connectable, displacedBy, portFor } from '../ports';
import { EditError } from '../sentence';
import { addNode, type Added, type Point } from './nodes';

/**
 * Join two ends; either may come first. Edges that cannot stay beside the new one go.
 * @throws EditError with the reason when they do not fit
 */
export function connect(flow: Flow, source: Wire, target: Wire, catalog: Catalog): Flow {
  const [from, to] = source.side === 'output' ? [source, target] : [target, source];
  const { ok, reason, values } = connectable(flow, catalog, from, to);
  if (!ok) {
    throw new EditError(reason, values);
  }
  const displaced = displacedBy(flow, catalog, from, to).map(edge => edge.index);
  const edges = disconnect(flow, displaced).edges;
  const place = displaced[0] ?? edges.length;
  return { ...flow, edges: [...edges.slice(0, place), joined(from, to), ...edges.slice(place)] };
}

function joined(from: Wire, to: Wire): Edge {
  return { source: from.node, sourcePort: from.port, target: to.node, targetPort: to.port };
}

/** Connect a dangling wire to the port of a node that takes it best; null: none does. */
export function attach(flow: Flow, catalog: Catalog, wire: Wire, id: string): Flow | null {
  const port = portFor(flow, catalog, wire, id);
  if (!port) {
    return null;
  }
  const side = wire.side === 'output' ? 'input' : 'output';
  return attempted(() => connect(flow, wire, { node: id, port: port.name, side }, catalog));
}

function attempted<T>(edit: () => T): T | null {
  try {
    return edit();
  } catch (error) {
    if (error instanceof EditError) {
      return null;
    }
    throw error;
  }
}

/** Remove edges by their position in `flow.edges`. */
export function disconnect(flow: Flow, indices: Iterable<number>): Flow {
  const gone = new Set(indices);
  const edges = flow.edges.filter((_, index) => !gone.has(index));
  return edges.length === flow.edges.length ? flow : { ...flow, edges };
}

/**
 * Put a node onto an edge: `a -> b` becomes `a -> node -> b`, at the same place in the order.
 * What follows moves to the right as far as the node needs.
 * null: it is wired already at an end of the edge, or has no ports that fit.
 */
export function splice(
  flow: Flow,
  catalog: Catalog,
  edgeIndex: number,
  nodeId: string
): Flow | null {
  const edge = flow.edges[edgeIndex];
  if (!edge || edge.source === nodeId || edge.target === nodeId) {
    return null;
  }
  const from: Wire = { node: edge.source, port: edge.sourcePort, side: 'output' };
  const to: Wire = { node: edge.target, port: edge.targetPort, side: 'input' };
  const entry = portFor(flow, catalog, from, nodeId);
  const exit = portFor(flow, catalog, to, nodeId);
  if (!entry || !exit || isFed(flow, nodeId, entry.name) || edgesFrom(flow, nodeId).length > 0) {
    return null;
  }
  const open = disconnect(flow, [edgeIndex]);
  return attempted(() => {
    const into = connect(open, from, { node: nodeId, port: entry.name, side: 'input' }, catalog);
    const whole = connect(into, { node: nodeId, port: exit.name, side: 'output' }, to, catalog);
    const edges = inPlace(flow.edges, edgeIndex, whole.edges.slice(-2));
    return withRoom({ ...whole, edges }, edge, nodeId);
  });
}

/** From the left edge of a card to that of the next, in pixels. */
const STEP = 280;

/** A node stands between the ends of the edge it was put into, where these go from left to right. */
function withRoom(flow: Flow, { source, target }: Edge, id: string): Flow {
  const [from, at, to] = [flow.layout[source], flow.layout[id], flow.layout[target]];
  if (!from || !at || !to || to[0] < from[0] + STEP / 2) {
    return flow;
  }
  const left = Math.max(at[0], from[0] + STEP);
  const push = Math.max(0, left + STEP - to[0]);
  const layout = { ...flow.layout, [id]: [left, at[1]] as const };
  for (const next of push > 0 ? below(flow, id) : []) {
    const place = flow.layout[next];
    if (place && next !== id) {
      layout[next] = [place[0] + push, place[1]];
    }
  }
  return { ...flow, layout };
}

function isFed(flow: Flow, id: string, port: string): boolean {
  return edgesInto(flow, id).some(edge => edge.targetPort === port);
}

function inPlace(edges: readonly Edge[], index: number, replacement: readonly Edge[]): Edge[] {
  return edges.flatMap((edge, at) => (at === index ? replacement : [edge]));
}

/** Put a new node onto an edge; null: the type has no ports that fit there. */
export function insertOnEdge(
  flow: Flow,
  catalog: Catalog,
  edgeIndex: number,
  type: string,
  at: Point
): Added | null {
  const added = addNode(flow, catalog, type, at);
  const spliced = splice(added.flow, catalog, edgeIndex, added.id);
  return spliced && { flow: spliced, id: added.id };
}
