/** Pinned outputs: values that stand in for a call in interactive runs. */
import type { Flow, Json } from '../flow';

declare const TODO: never;
export const pin = (flow: Flow, id: string, port: string, value: Json): Flow =>
  (TODO, flow, id, port, value) as never;
/** Without a port: all of the node's pins. */
export const unpin = (flow: Flow, id: string, port?: string): Flow =>
  (TODO, flow, id, port) as never;
