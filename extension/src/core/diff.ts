/** What differs between two versions of a flow, for the visual diff. */
import { edgeText } from './file';
import type { Flow, FlowNode, Json } from './flow';

export type Change = 'added' | 'removed' | 'changed';

export interface Difference {
  readonly nodes: ReadonlyMap<string, Change>;
  /** Edges that came or went, by their text `a.out -> b.in`. */
  readonly edges: ReadonlyMap<string, Change>;
  /** Changed fields of changed nodes: `type`, `config.prompt`, ... */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** Changed fields of the flow itself: `name`, `parameters.topic`, `outputs.x`, `notes`, ... */
  readonly flow: readonly string[];
  readonly same: boolean;
}

/** Positions are no part of a node: a node that only moved is unchanged. */
export function compare(before: Flow, after: Flow): Difference {
  const nodes = entries(before.nodes, after.nodes);
  const fields = new Map<string, readonly string[]>();
  for (const [id, change] of nodes) {
    const [old, next] = [before.nodes[id], after.nodes[id]];
    if (change === 'changed' && old && next) {
      fields.set(id, changedFields(old, next));
    }
  }
  const edges = edgeChanges(before, after);
  const flow = flowFields(before, after);
  const same = nodes.size === 0 && edges.size === 0 && flow.length === 0;
  return { nodes, edges, fields, flow, same };
}

type Entries = { readonly [key: string]: unknown };

function entries(before: Entries, after: Entries): Map<string, Change> {
  const changes = new Map<string, Change>();
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!Object.hasOwn(before, key)) {
      changes.set(key, 'added');
    } else if (!Object.hasOwn(after, key)) {
      changes.set(key, 'removed');
    } else if (!equal(before[key], after[key])) {
      changes.set(key, 'changed');
    }
  }
  return changes;
}

function changedFields(before: FlowNode, after: FlowNode): string[] {
  const inside = (name: 'config' | 'pin' | 'retry'): string[] =>
    [...entries({ ...before[name] }, { ...after[name] }).keys()].map(key => `${name}.${key}`);
  const keys = [...entries({ ...before }, { ...after }).keys()];
  return keys.flatMap(key =>
    key === 'config' || key === 'pin' || key === 'retry' ? inside(key) : [key]
  );
}

function edgeChanges(before: Flow, after: Flow): Map<string, Change> {
  const [old, next] = [before, after].map(flow => new Set(flow.edges.map(edgeText)));
  const changes = new Map<string, Change>();
  old?.forEach(edge => next?.has(edge) || changes.set(edge, 'removed'));
  next?.forEach(edge => old?.has(edge) || changes.set(edge, 'added'));
  return changes;
}

function flowFields(before: Flow, after: Flow): string[] {
  const named = (name: 'parameters' | 'outputs'): string[] =>
    [...entries({ ...before[name] }, { ...after[name] }).keys()].map(key => `${name}.${key}`);
  const whole = (['name', 'notes', 'groups'] as const).filter(
    name => !equal(before[name], after[name])
  );
  const isOrder = !equal(order(before), order(after)) && edgeChanges(before, after).size === 0;
  return [...whole, ...named('parameters'), ...named('outputs'), ...(isOrder ? ['edges'] : [])];
}

/** The order of the edges into each node, which is the order of the items in its lists. */
function order(flow: Flow): Json {
  const into: Record<string, string[]> = {};
  for (const edge of flow.edges) {
    (into[`${edge.target}.${edge.targetPort}`] ??= []).push(edgeText(edge));
  }
  return into;
}

/** Whether two JSON values say the same; the order of keys says nothing. */
export function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) {
    return true;
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return a === b;
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    const isPair = Array.isArray(a) && Array.isArray(b) && a.length === b.length;
    return isPair && a.every((item, index) => equal(item, (b as unknown[])[index]));
  }
  const [left, right] = [a as Entries, b as Entries];
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every(key => Object.hasOwn(right, key) && equal(left[key], right[key]))
  );
}
