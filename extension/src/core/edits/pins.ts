/** Pinned outputs: values that stand in for a call in interactive runs. */
import type { Flow, Json } from '../flow';
import { setNode } from './nodes';
import { without } from './records';

/** Pin a value to an output port of a node. */
export function pin(flow: Flow, id: string, port: string, value: Json): Flow {
  const present = flow.nodes[id]?.pin;
  if (present && Object.hasOwn(present, port) && Object.is(present[port], value)) {
    return flow;
  }
  return setNode(flow, id, { pin: { ...present, [port]: value } });
}

/** Take the pin from a port; without a port, all of the node's pins. */
export function unpin(flow: Flow, id: string, port?: string): Flow {
  const present = flow.nodes[id]?.pin;
  if (!present || (port !== undefined && !Object.hasOwn(present, port))) {
    return flow;
  }
  const rest = port === undefined ? {} : without(present, new Set([port]));
  return setNode(flow, id, { pin: Object.keys(rest).length > 0 ? rest : undefined });
}
