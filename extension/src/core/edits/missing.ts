/**
 * Which values may be missing in a run that completes: branches that are not taken, steps that may
 * be skipped or fail. Moving nodes into a flow of their own, or out of it, must not change that.
 */
import type { Catalog } from '../catalog';
import { type Edge, type Flow, PARAMS } from '../flow';
import { edgesInto, ordered } from '../graph';
import { bodyOf } from '../scope';
import { nodeOf } from './nodes';

/** Tells whether the value of an output port may be missing. */
export type MayBeMissing = (id: string, port: string) => boolean;

/** Find out which outputs of a flow's nodes may be missing. */
export function missingValues(flow: Flow, catalog: Catalog): MayBeMissing {
  const skippable = new Set<string>();
  const isMissing: MayBeMissing = (id, port) =>
    id !== PARAMS && (skippable.has(id) || !isSure(flow, catalog, id, port));
  for (const id of ordered(flow)) {
    const node = flow.nodes[id];
    const isOptional = node?.skip_if || (node?.on_error ?? 'fail') !== 'fail';
    if (isOptional || starves(flow, id, edge => isMissing(edge.source, edge.sourcePort))) {
      skippable.add(id);
    }
  }
  return isMissing;
}

/** Whether a node that is called always fills this output. */
function isSure(flow: Flow, catalog: Catalog, id: string, port: string): boolean {
  const node = flow.nodes[id];
  const type = node && catalog.get(node.type);
  const named = type?.outputs.find(output => output.name === port);
  if (named || !type || type.free_outputs === null) {
    return named?.required ?? false;
  }
  return type.bodies.some(field => {
    const body = bodyOf(node, field);
    const reference = body && typeof body !== 'string' ? body.outputs?.[port] : undefined;
    if (!body || typeof body === 'string' || reference === undefined) {
      return false;
    }
    const inner = nodeOf(reference);
    return !missingValues(body, catalog)(inner, reference.slice(inner.length + 1));
  });
}

/** Whether a node is skipped when some of the edges into it bring nothing. */
function starves(flow: Flow, id: string, bringsNothing: (edge: Edge) => boolean): boolean {
  const join = flow.nodes[id]?.join ?? 'all';
  const edges = edgesInto(flow, id);
  if (join === 'all_done' || edges.length === 0) {
    return false;
  }
  if (join === 'any') {
    return edges.every(edge => edge.source !== PARAMS && bringsNothing(edge));
  }
  const ports = new Set(edges.map(edge => edge.targetPort));
  return [...ports].some(port =>
    edges.every(edge => edge.targetPort !== port || bringsNothing(edge))
  );
}

/** Whether all of these nodes are skipped when the edges of one source bring nothing. */
export function allSkipped(
  flow: Flow,
  nodes: ReadonlySet<string>,
  source: Pick<Edge, 'source' | 'sourcePort'>
): boolean {
  const skipped = new Set<string>();
  for (const id of ordered(flow)) {
    const bringsNothing = (edge: Edge): boolean =>
      skipped.has(edge.source) ||
      (edge.source === source.source && edge.sourcePort === source.sourcePort);
    if (nodes.has(id) && starves(flow, id, bringsNothing)) {
      skipped.add(id);
    }
  }
  return skipped.size === nodes.size;
}
