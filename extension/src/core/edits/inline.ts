/** A subflow back into the nodes of its body. */
import type { Catalog } from '../catalog';
import {
  type Edge,
  type Flow,
  type FlowNode,
  type Json,
  type JsonObject,
  OUT,
  PARAMS
} from '../flow';
import { edgesFrom, edgesInto } from '../graph';
import { freeName } from '../fresh';
import { inputPort } from '../ports';
import { bodyOf } from '../scope';
import { EditError } from '../sentence';
import { replacePaths } from '../template';
import { equal } from '../diff';
import { placed } from '../places';
import { move } from './arrange';
import { checkList, SUBFLOW } from './extract';
import { allSkipped, missingValues } from './missing';
import { nodeOf, type Point, renamed } from './nodes';
import { renamedTexts } from './parameters';
import { parameterUse } from './parameterUse';
import { without } from './records';
import { resultsOf } from './results';

/** What a parameter of the body stands for: the start of an edge, or a fixed value. */
type Meaning = { readonly source: string; readonly sourcePort: string } | { readonly value: Json };
type Meanings = ReadonlyMap<string, Meaning>;

/** Settings of the subflow itself that its nodes cannot take over. */
const OWN_SETTINGS = ['skip_if', 'on_error', 'retry', 'timeout', 'join', 'pin', 'cache'] as const;

/**
 * Replace a subflow by the nodes of its body; their ids are returned.
 * @throws EditError when the flow would then mean something else
 */
export function inline(
  flow: Flow,
  catalog: Catalog,
  id: string
): { readonly flow: Flow; readonly ids: string[] } {
  const node = flow.nodes[id];
  const written = node?.type === SUBFLOW ? bodyOf(node, 'body') : null;
  if (!node || !written || typeof written === 'string') {
    throw new EditError('Only a subflow whose body is in this file can be taken apart.');
  }
  if (OWN_SETTINGS.some(setting => node[setting] !== undefined)) {
    throw new EditError(
      'This subflow has settings of its own, such as a retry; remove them first.'
    );
  }
  const body = freshBody(flow, id, placed(written));
  const meanings = meaningsOf(flow, id, node, body);
  const settled = settle(body, meanings, catalog);
  const merged = merge(flow, id, settled, resultsIn(body, written, catalog));
  checkMeaning(flow, id, merged, Object.keys(body.nodes), catalog);
  return { flow: withResults(flow, merged, catalog), ids: Object.keys(body.nodes) };
}

/** The body with ids that are free in the flow, where the subflow stands. */
function freshBody(flow: Flow, id: string, body: Flow): Flow {
  const taken = new Set(Object.keys(flow.nodes));
  flow.notes.forEach(note => taken.add(note.id));
  const names = new Map<string, string>();
  for (const inner of [...Object.keys(body.nodes), ...body.notes.map(note => note.id)]) {
    const name = freeName(inner, other => taken.has(other));
    taken.add(name);
    names.set(inner, name);
  }
  const fresh = renamed(body, names);
  const notes = fresh.notes.map(note => ({ ...note, id: names.get(note.id) ?? note.id }));
  const groups = fresh.groups.map(group => ({
    ...group,
    id: freeName(group.id, other => flow.groups.some(found => found.id === other))
  }));
  return shifted({ ...fresh, notes, groups }, flow.layout[id] ?? [0, 0]);
}

function shifted(body: Flow, [left, top]: Point): Flow {
  const points: Point[] = Object.keys(body.nodes).map(id => body.layout[id] ?? [0, 0]);
  const low = (axis: 0 | 1): number =>
    points.reduce((least, point) => Math.min(least, point[axis]), points[0]?.[axis] ?? 0);
  const place = ([x, y]: Point): Point => [x - low(0) + left, y - low(1) + top];
  return move(
    body,
    new Map([
      ...Object.keys(body.nodes).map(id => [id, place(body.layout[id] ?? [0, 0])] as const),
      ...body.notes.map(note => [note.id, place([note.x, note.y])] as const)
    ])
  );
}

function meaningsOf(flow: Flow, id: string, node: FlowNode, body: Flow): Meanings {
  const wired = edgesInto(flow, id);
  return new Map(
    Object.entries(body.parameters).map(([name, spec]): [string, Meaning] => {
      const edges = wired.filter(edge => edge.targetPort === name);
      if (edges[0] && edges.length === 1) {
        return [name, { source: edges[0].source, sourcePort: edges[0].sourcePort }];
      }
      const value = node.config?.[name] ?? spec.default;
      if (edges.length > 1 || value === undefined) {
        throw new EditError('The parameter {name} of the body has no value, or several.', { name });
      }
      return [name, { value }];
    })
  );
}

/** The body with what its parameters stand for in their place. */
function settle(body: Flow, meanings: Meanings, catalog: Catalog): Flow {
  const added: Edge[] = [];
  const nodes = Object.entries(body.nodes).map(([id, node]) => {
    const fed = withValues(body, id, node, meanings, catalog);
    return [id, withTexts(id, fed, meanings, catalog, added)] as const;
  });
  const edges = body.edges.flatMap(edge => {
    const meaning = edge.source === PARAMS ? meanings.get(edge.sourcePort) : undefined;
    if (edge.source !== PARAMS) {
      return [edge];
    }
    return meaning && 'source' in meaning ? [{ ...edge, ...meaning }] : [];
  });
  return { ...body, nodes: Object.fromEntries(nodes), edges: [...edges, ...added] };
}

/** Fixed values of parameters go into the configuration of the nodes that they feed. */
function withValues(
  body: Flow,
  id: string,
  node: FlowNode,
  meanings: Meanings,
  catalog: Catalog
): FlowNode {
  const config: Record<string, Json> = {};
  for (const edge of edgesInto(body, id)) {
    const meaning = edge.source === PARAMS ? meanings.get(edge.sourcePort) : undefined;
    if (!meaning || !('value' in meaning)) {
      continue;
    }
    const beside = edgesInto(body, id).filter(other => other.targetPort === edge.targetPort);
    const type = catalog.get(node.type);
    if (beside.length > 1 || !type || !inputPort(type, edge.targetPort)) {
      throw impossible(edge.sourcePort, id);
    }
    config[edge.targetPort] = meaning.value;
  }
  return Object.keys(config).length > 0 ? { ...node, config: { ...node.config, ...config } } : node;
}

/** Parameters in templates and expressions become the flow's own, inputs, or their values. */
function withTexts(
  id: string,
  node: FlowNode,
  meanings: Meanings,
  catalog: Catalog,
  added: Edge[]
): FlowNode {
  const names = new Map<string, string>();
  let next = node;
  for (const [name, meaning] of meanings) {
    const use = parameterUse(node, name, catalog);
    if (!use.inTemplate && !use.inExpression && !use.inCode) {
      continue;
    }
    if ('source' in meaning && meaning.source === PARAMS) {
      if (use.inCode && meaning.sourcePort !== name) {
        throw impossible(name, id);
      }
      names.set(name, meaning.sourcePort);
    } else if (use.inExpression || use.inCode) {
      throw impossible(name, id);
    } else {
      next = inTemplates(
        next,
        name,
        templateText(id, node, name, meaning, catalog, added),
        catalog
      );
    }
  }
  return names.size > 0 ? { ...next, ...renamedTexts(next, names, catalog) } : next;
}

/** What stands for `{{params.NAME}}` in a template; a wire gets an input of its own. */
function templateText(
  id: string,
  node: FlowNode,
  name: string,
  meaning: Meaning,
  catalog: Catalog,
  added: Edge[]
): (rest: string) => string {
  if ('value' in meaning) {
    const { value } = meaning;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return rest => {
      if (rest || (typeof value === 'object' && value !== null)) {
        throw impossible(name, id);
      }
      return text.replaceAll('{{', '\\{{');
    };
  }
  const type = catalog.get(node.type);
  const isTaken =
    !type ||
    type.free_inputs === null ||
    type.inputs.some(port => port.name === name) ||
    Object.hasOwn(type.config_ports, name) ||
    Object.hasOwn(node.config ?? {}, name) ||
    added.some(edge => edge.target === id && edge.targetPort === name);
  if (isTaken) {
    throw impossible(name, id);
  }
  added.push({ ...meaning, target: id, targetPort: name });
  return rest => `{{${name}${rest}}}`;
}

function inTemplates(
  node: FlowNode,
  name: string,
  text: (rest: string) => string,
  catalog: Catalog
): FlowNode {
  const fields = catalog.get(node.type)?.templates ?? [];
  const config = Object.entries(node.config ?? {}).map(([field, value]) => {
    const isTemplate = typeof value === 'string' && fields.includes(field);
    const change = (written: string): string =>
      replacePaths(written, path =>
        path.root === PARAMS && path.parameter === name ? text(path.rest) : undefined
      );
    return [field, isTemplate ? change(value) : value] as const;
  });
  return { ...node, config: Object.fromEntries(config) };
}

function impossible(name: string, node: string): EditError {
  return new EditError('{node} uses the parameter {name} in a way that only a subflow can.', {
    node,
    name
  });
}

/** What the body returns: by output name, the reference inside the fresh body. */
function resultsIn(body: Flow, written: Flow, catalog: Catalog): JsonObject {
  return written.outputs ? { ...body.outputs } : resultsOf(body, catalog);
}

function merge(flow: Flow, id: string, body: Flow, results: JsonObject): Flow {
  const refer = (port: string): string => {
    const reference = results[port];
    if (typeof reference !== 'string') {
      throw new EditError('The body has no output {name}.', { name: port });
    }
    return reference;
  };
  const edges = flow.edges.flatMap(edge => {
    if (edge.target === id) {
      return [];
    }
    return edge.source === id ? [{ ...edge, ...startOf(refer(edge.sourcePort)) }] : [edge];
  });
  const outputs = Object.entries(flow.outputs ?? {}).map(([name, reference]) => [
    name,
    nodeOf(reference) === id ? refer(reference.slice(id.length + 1) || OUT) : reference
  ]);
  const ids = Object.keys(body.nodes);
  const nodes = Object.entries(flow.nodes).flatMap(([key, node]) =>
    key === id ? Object.entries(body.nodes) : [[key, node] as const]
  );
  const groups = flow.groups.map(group =>
    group.nodes.includes(id)
      ? { ...group, nodes: group.nodes.flatMap(node => (node === id ? ids : [node])) }
      : group
  );
  return {
    ...flow,
    nodes: Object.fromEntries(nodes),
    edges: [...edges, ...body.edges],
    ...(flow.outputs && { outputs: Object.fromEntries(outputs) }),
    layout: { ...without(flow.layout, new Set([id])), ...body.layout },
    notes: [...flow.notes, ...body.notes],
    groups: [...groups.filter(group => group.nodes.length > 0), ...innerGroups(flow, id, body)]
  };
}

/** A node is in one group at most: the subflow's own group comes before those of its body. */
function innerGroups(flow: Flow, id: string, body: Flow): Flow['groups'] {
  return flow.groups.some(group => group.nodes.includes(id)) ? [] : body.groups;
}

function startOf(reference: string): { source: string; sourcePort: string } {
  const source = nodeOf(reference);
  return { source, sourcePort: reference.slice(source.length + 1) || OUT };
}

function checkMeaning(
  flow: Flow,
  id: string,
  merged: Flow,
  ids: readonly string[],
  catalog: Catalog
): void {
  const inner = new Set(ids);
  merged.edges
    .filter(edge => inner.has(edge.source) !== inner.has(edge.target))
    .forEach(edge => checkList(merged, catalog, edge));
  const isMissing = missingValues(flow, catalog);
  for (const edge of edgesInto(flow, id)) {
    if (isMissing(edge.source, edge.sourcePort) && !allSkipped(merged, inner, edge)) {
      throw new EditError('{node} may give no value; only a subflow is skipped then as a whole.', {
        node: edge.source
      });
    }
  }
}

/** Results that follow from the graph are written down when they would become others. */
function withResults(before: Flow, after: Flow, catalog: Catalog): Flow {
  if (before.outputs) {
    return after;
  }
  const isSink = (flow: Flow, id: string): boolean => edgesFrom(flow, id).length === 0;
  const sinksOf = (flow: Flow): string[] => Object.keys(flow.nodes).filter(id => isSink(flow, id));
  const given = (flow: Flow): string[] =>
    sinksOf(flow).filter(id => catalog.get(flow.nodes[id]?.type ?? '')?.outputs.length !== 0);
  return equal(given(before), given(after))
    ? after
    : { ...after, outputs: resultsOf(before, catalog) };
}
