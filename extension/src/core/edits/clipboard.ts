/** Copy and paste; the clipboard's text is a whole flow in the file format. */
import { dumpFlow, FlowFileError, parseFlow } from '../file';
import { EMPTY_FLOW, type Flow, PARAMS } from '../flow';
import { edgesInto } from '../graph';
import { freeName } from '../fresh';
import { EditError } from '../sentence';
import { placed } from '../places';
import { move } from './arrange';
import { type Point, renamed } from './nodes';
import { only } from './records';

export interface Pasted {
  readonly flow: Flow;
  readonly ids: string[];
}

/** What holds a flow in a chat: a fenced block, or braces from the first to the last. */
const FENCE = /```[^\n`]*\n(.*?)```/gs;
const OFFSET: Point = [40, 40];

/** Nodes and notes with what is between them, as the text of a flow file. */
export function copyText(flow: Flow, ids: Iterable<string>): string {
  return dumpFlow(part(flow, new Set(ids)));
}

/** A flow of these nodes and notes; edges from elsewhere are left out, parameters come along. */
export function part(flow: Flow, ids: ReadonlySet<string>): Flow {
  const nodes = only(flow.nodes, ids);
  const isIn = (id: string): boolean => Object.hasOwn(nodes, id);
  const edges = flow.edges.filter(
    edge => isIn(edge.target) && (isIn(edge.source) || edge.source === PARAMS)
  );
  const texts = JSON.stringify(Object.values(nodes));
  const used = Object.keys(flow.parameters).filter(
    name =>
      edges.some(edge => edge.source === PARAMS && edge.sourcePort === name) || texts.includes(name)
  );
  return {
    ...EMPTY_FLOW,
    name: flow.name,
    parameters: only(flow.parameters, new Set(used)),
    nodes,
    edges,
    layout: only(flow.layout, new Set(Object.keys(nodes))),
    notes: flow.notes.filter(note => ids.has(note.id)),
    groups: flow.groups.filter(group => group.nodes.every(isIn))
  };
}

/**
 * Add the nodes and notes of a flow's text, which may stand inside other text such as a chat's.
 * `at` is where the upper left corner goes.
 * @throws EditError when there is no flow in the text
 */
export function pasteText(flow: Flow, text: string, at: Point): Pasted {
  const pasted = placed(findFlow(text));
  const [left, top] = corner(pasted);
  return add(flow, pasted, [at[0] - left, at[1] - top]);
}

/** Add copies of nodes and notes beside them. */
export function duplicate(flow: Flow, ids: Iterable<string>, offset: Point = OFFSET): Pasted {
  const wanted = new Set(ids);
  const copy = part(flow, wanted);
  const fromOutside = Object.keys(copy.nodes)
    .flatMap(id => [...edgesInto(flow, id)])
    .filter(edge => edge.source !== PARAMS && !Object.hasOwn(copy.nodes, edge.source));
  const { flow: added, ids: fresh, names } = add(flow, copy, offset);
  const edges = fromOutside.map(edge => ({
    source: edge.source,
    sourcePort: edge.sourcePort,
    target: names.get(edge.target) ?? edge.target,
    targetPort: edge.targetPort
  }));
  return {
    flow: edges.length > 0 ? { ...added, edges: [...added.edges, ...edges] } : added,
    ids: fresh
  };
}

function add(
  flow: Flow,
  addition: Flow,
  [dx, dy]: Point
): Pasted & { readonly names: ReadonlyMap<string, string> } {
  const names = freshNames(flow, addition);
  const moved = move(
    addition,
    new Map([
      ...Object.keys(addition.nodes).map(id => [id, shifted(addition.layout[id])] as const),
      ...addition.notes.map(note => [note.id, shifted([note.x, note.y])] as const)
    ])
  );
  function shifted([x, y]: Point = [0, 0]): Point {
    return [x + dx, y + dy];
  }
  const fresh = renamed(moved, names);
  const notes = fresh.notes.map(note => ({ ...note, id: names.get(note.id) ?? note.id }));
  const groupIds = new Set(flow.groups.map(group => group.id));
  const groups = fresh.groups.map(group => {
    const id = freeName(group.id, name => groupIds.has(name));
    groupIds.add(id);
    return { ...group, id };
  });
  const next: Flow = {
    ...flow,
    parameters: { ...addition.parameters, ...flow.parameters },
    nodes: { ...flow.nodes, ...fresh.nodes },
    edges: [...flow.edges, ...fresh.edges.filter(edge => isWhole(edge.source, edge.target))],
    layout: { ...flow.layout, ...only(fresh.layout, new Set(Object.keys(fresh.nodes))) },
    notes: [...flow.notes, ...notes],
    groups: [...flow.groups, ...groups]
  };
  function isWhole(source: string, target: string): boolean {
    const has = (id: string): boolean => Object.hasOwn(fresh.nodes, id);
    return has(target) && (has(source) || source === PARAMS);
  }
  return { flow: next, ids: [...Object.keys(fresh.nodes), ...notes.map(note => note.id)], names };
}

/** New ids for the nodes and notes of an addition whose own are taken. */
function freshNames(flow: Flow, addition: Flow): Map<string, string> {
  const taken = new Set([...Object.keys(flow.nodes), ...flow.notes.map(note => note.id)]);
  const names = new Map<string, string>();
  for (const id of [...Object.keys(addition.nodes), ...addition.notes.map(note => note.id)]) {
    const fresh = freeName(taken.has(id) ? id.replace(/\d+$/, '') : id, name => taken.has(name));
    taken.add(fresh);
    names.set(id, fresh);
  }
  return names;
}

function corner(flow: Flow): Point {
  const points = [
    ...Object.keys(flow.nodes).map(id => flow.layout[id] ?? [0, 0]),
    ...flow.notes.map(note => [note.x, note.y] as const)
  ];
  const low = (axis: 0 | 1): number =>
    points.reduce((least, point) => Math.min(least, point[axis]), points[0]?.[axis] ?? 0);
  return [low(0), low(1)];
}

function findFlow(text: string): Flow {
  const fenced = [...text.matchAll(FENCE)].map(match => match[1] ?? '');
  const braces = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
  let fault: FlowFileError | null = null;
  for (const candidate of [text, ...fenced, braces]) {
    if (!candidate.includes('{')) {
      continue;
    }
    try {
      const found = parseFlow(candidate);
      if (Object.keys(found.nodes).length > 0 || found.notes.length > 0) {
        return found;
      }
    } catch (error) {
      if (!(error instanceof FlowFileError)) {
        throw error;
      }
      fault = error;
    }
  }
  if (fault) {
    throw new EditError('The pasted text holds no flow that can be read: {reason}', {
      reason: fault.message
    });
  }
  throw new EditError('The pasted text holds no flow.');
}
