/** Edits of nodes. */
import type { Catalog } from '../catalog';
import { type Edge, type Flow, type FlowNode, type Json, type JsonObject } from '../flow';
import { freeName, nameFrom } from '../fresh';
import { nodeIdFault } from '../names';
import { EditError } from '../sentence';
import { without } from './records';

export type Point = readonly [x: number, y: number];

export interface Added {
  readonly flow: Flow;
  readonly id: string;
}

export interface AddOptions {
  readonly title?: string;
  readonly config?: JsonObject;
  readonly id?: string;
}

/** The id of a new node of `type`: `clean`, `clean2`, ...; always a Python name. */
export function freshId(flow: Flow, type: string): string {
  const base = nameFrom(type.slice(type.lastIndexOf('.') + 1), 'node');
  return freeName(base, id => Object.hasOwn(flow.nodes, id));
}

/** Add a node with its upper left corner at a point. */
export function addNode(
  flow: Flow,
  catalog: Catalog,
  type: string,
  at: Point,
  options: AddOptions = {}
): Added {
  const { title, config } = options;
  const id = options.id ?? freshId(flow, type);
  checkId(flow, id);
  const version = catalog.get(type)?.version ?? 1;
  const node: FlowNode = {
    type,
    ...(version > 1 && { version }),
    ...(title && { title }),
    ...(config && Object.keys(config).length > 0 && { config })
  };
  const nodes = { ...flow.nodes, [id]: node };
  return { flow: { ...flow, nodes, layout: { ...flow.layout, [id]: rounded(at) } }, id };
}

function checkId(flow: Flow, id: string): void {
  if (nodeIdFault(id)) {
    throw new EditError('Ids have 1 to 64 letters, digits, _ or -, and start with a letter or _.');
  }
  if (Object.hasOwn(flow.nodes, id)) {
    throw new EditError('There is already a node called {id}.', { id });
  }
}

/** Whole pixels: positions stand in a file that people compare. */
export function rounded([x, y]: Point): Point {
  return [Math.round(x), Math.round(y)];
}

/** Remove nodes with their edges, positions, places in groups and named results. */
export function removeNodes(flow: Flow, ids: Iterable<string>): Flow {
  const gone = new Set([...ids].filter(id => Object.hasOwn(flow.nodes, id)));
  if (gone.size === 0) {
    return flow;
  }
  const isKept = (edge: Edge): boolean => !gone.has(edge.source) && !gone.has(edge.target);
  return {
    ...flow,
    nodes: without(flow.nodes, gone),
    edges: flow.edges.every(isKept) ? flow.edges : flow.edges.filter(isKept),
    layout: without(flow.layout, gone),
    groups: ungrouped(flow, gone),
    outputs: keptResults(flow.outputs, reference => !gone.has(nodeOf(reference)))
  };
}

/** Named results that pass a test; without any left, the flow returns what it does by default. */
function keptResults(
  outputs: Flow['outputs'],
  isKept: (reference: string) => boolean
): Flow['outputs'] {
  const lost = Object.keys(outputs ?? {}).filter(name => !isKept(outputs?.[name] ?? ''));
  if (!outputs || lost.length === 0) {
    return outputs;
  }
  return lost.length < Object.keys(outputs).length ? without(outputs, new Set(lost)) : undefined;
}

/** The node in a reference such as `node.port`. */
export function nodeOf(reference: string): string {
  return reference.split('.', 1)[0] ?? '';
}

/** Groups without these nodes; a group that loses its last node goes. */
export function ungrouped(flow: Flow, gone: ReadonlySet<string>): Flow['groups'] {
  if (!flow.groups.some(group => group.nodes.some(id => gone.has(id)))) {
    return flow.groups;
  }
  return flow.groups
    .map(group =>
      group.nodes.some(id => gone.has(id))
        ? { ...group, nodes: group.nodes.filter(id => !gone.has(id)) }
        : group
    )
    .filter(group => group.nodes.length > 0);
}

/** Give a node another id; everything that names it follows. @throws EditError */
export function renameNode(flow: Flow, id: string, newId: string): Flow {
  if (id === newId || !Object.hasOwn(flow.nodes, id)) {
    return flow;
  }
  checkId(flow, newId);
  return renamed(flow, new Map([[id, newId]]));
}

/** Give nodes the ids of a map of new ones, which must be free. */
export function renamed(flow: Flow, ids: ReadonlyMap<string, string>): Flow {
  const to = (id: string): string => ids.get(id) ?? id;
  const { outputs } = flow;
  return {
    ...flow,
    nodes: mapKeys(flow.nodes, to),
    edges: flow.edges.map(edge =>
      ids.has(edge.source) || ids.has(edge.target)
        ? { ...edge, source: to(edge.source), target: to(edge.target) }
        : edge
    ),
    layout: mapKeys(flow.layout, to),
    groups: flow.groups.map(group =>
      group.nodes.some(id => ids.has(id)) ? { ...group, nodes: group.nodes.map(to) } : group
    ),
    ...(outputs && { outputs: mapValues(outputs, reference => referTo(reference, to)) })
  };
}

function referTo(reference: string, to: (id: string) => string): string {
  const id = nodeOf(reference);
  return to(id) + reference.slice(id.length);
}

function mapKeys<T>(
  entries: { readonly [key: string]: T },
  to: (key: string) => string
): { readonly [key: string]: T } {
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [to(key), value]));
}

function mapValues<T>(
  entries: { readonly [key: string]: T },
  change: (value: T) => T
): { readonly [key: string]: T } {
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, change(value)]));
}

/** Change fields of a node; those that are `undefined` are removed. */
export function setNode(flow: Flow, id: string, change: Partial<FlowNode>): Flow {
  const node = flow.nodes[id];
  const isSame = (key: string): boolean =>
    Object.is(change[key as keyof FlowNode], node?.[key as keyof FlowNode]);
  if (!node || Object.keys(change).every(isSame)) {
    return flow;
  }
  const gone = Object.keys(change).filter(key => change[key as keyof FlowNode] === undefined);
  const next = without({ ...node, ...change }, new Set(gone));
  return { ...flow, nodes: { ...flow.nodes, [id]: next } };
}

/** Name a node for people; an empty title gives it its type's name. */
export function setTitle(flow: Flow, id: string, title: string): Flow {
  return setNode(flow, id, { title: title.trim() || undefined });
}

/** Set a configuration field, or remove it with `undefined`. */
export function setConfig(flow: Flow, id: string, field: string, value: Json | undefined): Flow {
  const config = flow.nodes[id]?.config ?? {};
  if (Object.is(config[field], value)) {
    return flow;
  }
  const next =
    value === undefined ? without(config, new Set([field])) : { ...config, [field]: value };
  return setNode(flow, id, { config: Object.keys(next).length > 0 ? next : undefined });
}
