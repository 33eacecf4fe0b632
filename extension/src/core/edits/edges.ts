/** Edits of connections. */
import type { Catalog } from '../catalog';
import type { Wire } from '../controller';
import type { Flow } from '../flow';
import type { Added, Point } from './nodes';

declare const TODO: never;
/** Either end may come first. Throws an `EditError` with the reason when they don't fit. */
export const connect = (flow: Flow, source: Wire, target: Wire, catalog: Catalog): Flow =>
  (TODO, flow, source, target, catalog) as never;
/** Connect a dangling wire to the port of a node that fits best; null: none fits. */
export const attach = (flow: Flow, catalog: Catalog, wire: Wire, id: string): Flow | null =>
  (TODO, flow, catalog, wire, id) as never;
export const disconnect = (flow: Flow, indices: Iterable<number>): Flow =>
  (TODO, flow, indices) as never;
/** Put an existing node onto an edge; null: it doesn't fit there. */
export const splice = (
  flow: Flow,
  catalog: Catalog,
  edgeIndex: number,
  nodeId: string
): Flow | null => (TODO, flow, catalog, edgeIndex, nodeId) as never;
/** Put a new node onto an edge; null: it doesn't fit there. */
export const insertOnEdge = (
  flow: Flow,
  catalog: Catalog,
  edgeIndex: number,
  type: string,
  at: Point
): Added | null => (TODO, flow, catalog, edgeIndex, type, at) as never;
