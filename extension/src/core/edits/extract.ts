/** Nodes into a subflow that does the same. The reverse is `inline`. */
import type { Catalog } from '../catalog';
import {
  type Edge,
  EMPTY_FLOW,
  type Flow,
  type Group,
  type JsonObject,
  OUT,
  PARAMS
} from '../flow';
import { below } from '../graph';
import { freeName } from '../fresh';
import { gathers, sourceType, targetType } from '../ports';
import { bodyData } from '../scope';
import { EditError } from '../sentence';
import { move } from './arrange';
import { allSkipped, missingValues } from './missing';
import { type Added, freshId, nodeOf, type Point } from './nodes';
import { isUsed } from './parameterUse';
import { only, without } from './records';
import { resultsOf } from './results';

export { inline } from './inline';

/** The node type whose body is run once. */
export const SUBFLOW = 'subflow';
/** Where the nodes of a new body begin. */
const ORIGIN: Point = [40, 40];

/** The selection and what leads into and out of it. */
interface Cut {
  readonly flow: Flow;
  readonly catalog: Catalog;
  readonly moved: ReadonlySet<string>;
  /** What the flow returns, when that has to be written down. */
  readonly results: Flow['outputs'];
  /** Parameter of the body by source, `node.port`. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Output of the body by source, `node.port`. */
  readonly outputs: ReadonlyMap<string, string>;
}

/**
 * Replace nodes by one subflow: edges into them become parameters of its body, edges out of them
 * its outputs. @throws EditError when the flow would then mean something else
 */
export function extract(flow: Flow, catalog: Catalog, ids: Iterable<string>, name: string): Added {
  const moved = new Set([...ids].filter(id => Object.hasOwn(flow.nodes, id)));
  check(flow, catalog, moved);
  const results = neededResults(flow, catalog, moved);
  const parameters = nameParameters(flow, catalog, moved);
  const outputs = nameOutputs({ ...flow, outputs: results }, moved);
  const cut: Cut = { flow, catalog, moved, results, parameters, outputs };
  const id = freshId(flow, name || SUBFLOW);
  return { flow: outside(cut, id, name, bodyOfCut(cut, name)), id };
}

function check(flow: Flow, catalog: Catalog, moved: ReadonlySet<string>): void {
  if (moved.size === 0) {
    throw new EditError('Select the nodes that shall become a subflow.');
  }
  if (!catalog.has(SUBFLOW)) {
    throw new EditError('The node type {type} is not installed.', { type: SUBFLOW });
  }
  for (const { target } of flow.edges.filter(edge => isLeaving(edge, moved))) {
    if ([target, ...below(flow, target)].some(id => moved.has(id))) {
      throw new EditError('{node} lies between the selected nodes; select it too.', {
        node: target
      });
    }
  }
  flow.edges.filter(edge => isCut(edge, moved)).forEach(edge => checkList(flow, catalog, edge));
  checkMissing(flow, catalog, moved);
}

/** JSON that gathers into a list would arrive whole, since a body's ports are of any type. */
export function checkList(flow: Flow, catalog: Catalog, edge: Edge): void {
  const source = sourceType(flow, catalog, edge.source, edge.sourcePort);
  const target = targetType(flow, catalog, edge.target, edge.targetPort);
  const beside = flow.edges.filter(
    other => other.target === edge.target && other.targetPort === edge.targetPort
  );
  if (beside.length === 1 && source === 'json' && target && gathers(target, source)) {
    throw new EditError('{source} and {target} must stay together: JSON becomes a list there.', {
      source: edge.source,
      target: edge.target
    });
  }
}

/** A subflow is skipped as a whole when one of its inputs has no value. */
function checkMissing(flow: Flow, catalog: Catalog, moved: ReadonlySet<string>): void {
  const isMissing = missingValues(flow, catalog);
  for (const edge of flow.edges.filter(found => isEntering(found, moved))) {
    if (isMissing(edge.source, edge.sourcePort) && !allSkipped(flow, moved, edge)) {
      throw new EditError(
        '{node} may give no value, and some of the selected nodes run even then; select only those behind it.',
        { node: edge.source }
      );
    }
  }
}

function isEntering(edge: Edge, moved: ReadonlySet<string>): boolean {
  return !moved.has(edge.source) && moved.has(edge.target);
}

function isLeaving(edge: Edge, moved: ReadonlySet<string>): boolean {
  return moved.has(edge.source) && !moved.has(edge.target);
}

function isCut(edge: Edge, moved: ReadonlySet<string>): boolean {
  return moved.has(edge.source) !== moved.has(edge.target);
}

/** Results that follow from the graph are written down when the selection gives some of them. */
function neededResults(flow: Flow, catalog: Catalog, moved: ReadonlySet<string>): Flow['outputs'] {
  const isMovedSink = (id: string): boolean => !flow.edges.some(edge => edge.source === id);
  const isNeeded = !flow.outputs && [...moved].some(isMovedSink);
  return isNeeded ? resultsOf(flow, catalog) : flow.outputs;
}

function nameParameters(
  flow: Flow,
  catalog: Catalog,
  moved: ReadonlySet<string>
): Map<string, string> {
  const type = catalog.get(SUBFLOW);
  const reserved = new Set([...Object.keys(type?.config_ports ?? {}), 'ctx', 'self', PARAMS]);
  const names = new Map<string, string>();
  const nodes = Object.values(only(flow.nodes, moved));
  for (const name of Object.keys(flow.parameters)) {
    if (!nodes.some(node => isUsed(node, name, catalog))) {
      continue;
    }
    if (reserved.has(name)) {
      throw new EditError('The parameter {name} cannot go into a subflow; rename it.', { name });
    }
    reserved.add(name);
    names.set(`${PARAMS}.${name}`, name);
  }
  for (const edge of flow.edges.filter(found => isEntering(found, moved))) {
    const key = `${edge.source}.${edge.sourcePort}`;
    if (!names.has(key)) {
      const wanted = edge.source === PARAMS ? edge.sourcePort : edge.targetPort;
      const name = freeName(wanted, taken => reserved.has(taken));
      reserved.add(name);
      names.set(key, name);
    }
  }
  return names;
}

function nameOutputs(flow: Flow, moved: ReadonlySet<string>): Map<string, string> {
  const sources = [
    ...flow.edges
      .filter(edge => isLeaving(edge, moved))
      .map(edge => `${edge.source}.${edge.sourcePort}`),
    ...Object.values(flow.outputs ?? {}).filter(reference => moved.has(nodeOf(reference)))
  ];
  const distinct = [...new Set(sources)];
  const taken = new Set<string>();
  return new Map(
    distinct.map(source => {
      const id = nodeOf(source);
      const port = source.slice(id.length + 1) || OUT;
      const wanted = port === OUT && distinct.length > 1 ? id.replace(/-/g, '_') : port;
      const name = freeName(wanted, other => taken.has(other));
      taken.add(name);
      return [source, name];
    })
  );
}

function bodyOfCut(cut: Cut, name: string): Flow {
  const { flow, moved, parameters, outputs } = cut;
  const specs = [...parameters].map(([source, parameter]) => [parameter, specOf(cut, source)]);
  const body: Flow = {
    ...EMPTY_FLOW,
    name,
    parameters: Object.fromEntries(specs),
    nodes: only(flow.nodes, moved),
    edges: flow.edges.filter(edge => moved.has(edge.target)).map(edge => fromParameter(cut, edge)),
    outputs: Object.fromEntries([...outputs].map(([source, output]) => [output, source])),
    layout: only(flow.layout, moved),
    groups: flow.groups.filter(group => isWithin(group, moved))
  };
  const [left, top] = corner(flow, moved);
  const place = ([x, y]: Point): Point => [x - left + ORIGIN[0], y - top + ORIGIN[1]];
  return move(body, new Map(Object.entries(body.layout).map(([id, at]) => [id, place(at)])));
}

function specOf({ flow, catalog }: Cut, source: string): JsonObject {
  const id = nodeOf(source);
  const port = source.slice(id.length + 1);
  const spec = id === PARAMS ? flow.parameters[port] : undefined;
  return spec ?? { type: sourceType(flow, catalog, id, port) ?? 'any' };
}

function fromParameter({ moved, parameters }: Cut, edge: Edge): Edge {
  const name = parameters.get(`${edge.source}.${edge.sourcePort}`);
  return moved.has(edge.source) || name === undefined
    ? edge
    : { ...edge, source: PARAMS, sourcePort: name };
}

function isWithin(group: Group, moved: ReadonlySet<string>): boolean {
  return group.nodes.every(id => moved.has(id));
}

function corner(flow: Flow, moved: ReadonlySet<string>): Point {
  const points = [...moved].map(id => flow.layout[id] ?? [0, 0]);
  const low = (axis: 0 | 1): number =>
    points.reduce((least, point) => Math.min(least, point[axis]), Infinity);
  return [low(0), low(1)];
}

function outside(cut: Cut, id: string, name: string, body: Flow): Flow {
  const { flow, moved } = cut;
  const node = { type: SUBFLOW, ...(name && { title: name }), config: { body: bodyData(body) } };
  const nodes = Object.entries(flow.nodes).map(([key, value]) =>
    key === [...moved][0] ? [id, node] : [key, value]
  );
  const groups = flow.groups
    .filter(group => !isWithin(group, moved))
    .map(group => ({ ...group, nodes: replaced(group.nodes, moved, id) }));
  const results = Object.entries(cut.results ?? {}).map(([result, reference]) => {
    const output = cut.outputs.get(reference);
    return [result, output === undefined ? reference : `${id}.${output}`];
  });
  return {
    ...flow,
    nodes: without(Object.fromEntries(nodes), moved) as Flow['nodes'],
    edges: edgesOutside(cut, id),
    layout: { ...without(flow.layout, moved), [id]: corner(flow, moved) },
    groups,
    ...(cut.results && { outputs: Object.fromEntries(results) })
  };
}

function replaced(nodes: readonly string[], moved: ReadonlySet<string>, id: string): string[] {
  return [...new Set(nodes.map(node => (moved.has(node) ? id : node)))];
}

function edgesOutside({ flow, moved, parameters, outputs }: Cut, id: string): Edge[] {
  const open = new Map(parameters);
  const into = (source: string): Edge[] => {
    const name = open.get(source);
    open.delete(source);
    const node = nodeOf(source);
    const sourcePort = source.slice(node.length + 1);
    return name === undefined ? [] : [{ source: node, sourcePort, target: id, targetPort: name }];
  };
  const edges = flow.edges.flatMap(edge => {
    const source = `${edge.source}.${edge.sourcePort}`;
    if (moved.has(edge.target)) {
      return moved.has(edge.source) ? [] : into(source);
    }
    const output = outputs.get(source);
    return output === undefined ? [edge] : [{ ...edge, source: id, sourcePort: output }];
  });
  return [...edges, ...[...open.keys()].flatMap(into)];
}
