/** Nested flows: the one that a scope names, and edits inside it. */
import { flowData, flowFromData } from './file';
import { without } from './edits/records';
import { EMPTY_FLOW, type Flow, type FlowNode, type Json, type Scope } from './flow';

/** Bodies as flows, so that an unchanged body is the same flow every time. */
const read = new WeakMap<object, Flow | null>();

/** The inline flow in a field of a node, the path of a file, or null when there is neither. */
export function bodyOf(node: FlowNode | undefined, field: string): Flow | string | null {
  const value = node?.config?.[field];
  if (typeof value === 'string') {
    return value;
  }
  return isObject(value) ? readBody(value) : null;
}

function isObject(
  value: Json | undefined
): value is Exclude<Json, null | string | number | boolean> {
  return typeof value === 'object' && value !== null;
}

function readBody(value: Exclude<Json, null | string | number | boolean>): Flow | null {
  let flow = read.get(value);
  if (flow === undefined) {
    try {
      flow = flowFromData(value, true);
    } catch {
      flow = null;
    }
    read.set(value, flow);
  }
  return flow;
}

/** A flow as the value of a body field. */
export function bodyData(flow: Flow): Json {
  const data = without(flowData(flow), new Set(['format']));
  read.set(data, flow);
  return data;
}

/** What the body of a map begins as: it takes the item. */
const BODY_OF_MAP: Flow = { ...EMPTY_FLOW, parameters: { item: {} } };

/** The flow that a field without one holds as soon as it is edited. */
function newBody(node: FlowNode | undefined, field: string): Flow {
  const isNew = node?.type === 'map' && !isObject(node.config?.[field]);
  return isNew ? BODY_OF_MAP : EMPTY_FLOW;
}

/** The flow that a scope names; an empty one when it is gone, or a file of its own. */
export function flowAt(root: Flow, scope: Scope): Flow {
  let flow = root;
  for (const [id, field] of scope) {
    const node = flow.nodes[id];
    const body = bodyOf(node, field);
    if (typeof body === 'string') {
      return EMPTY_FLOW;
    }
    flow = body ?? newBody(node, field);
  }
  return flow;
}

/**
 * Edit the flow that a scope names. A field that is empty gets a body; where the node is gone, or
 * its body is a file or cannot be read, nothing changes.
 */
export function withFlowAt(root: Flow, scope: Scope, change: (flow: Flow) => Flow): Flow {
  const [step, ...rest] = scope;
  if (!step) {
    return change(root);
  }
  const [id, field] = step;
  const node = root.nodes[id];
  const body = bodyOf(node, field);
  const written = node?.config?.[field];
  if (!node || typeof body === 'string' || (body === null && isObject(written))) {
    return root;
  }
  const before = body ?? newBody(node, field);
  const after = withFlowAt(before, rest, change);
  if (after === before) {
    return root;
  }
  const config = { ...node.config, [field]: bodyData(after) };
  return { ...root, nodes: { ...root.nodes, [id]: { ...node, config } } };
}
