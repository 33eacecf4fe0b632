/** Nodes into a subflow, and back. */
import type { Catalog } from '../catalog';
import type { Flow } from '../flow';
import type { Added } from './nodes';

declare const TODO: never;
/** Replace nodes by one subflow that does the same. Throws an `EditError` when that can't be. */
export const extract = (flow: Flow, catalog: Catalog, ids: Iterable<string>, name: string): Added =>
  (TODO, flow, catalog, ids, name) as never;
/** Replace a subflow by the nodes of its body. Throws an `EditError` when that can't be. */
export const inline = (flow: Flow, catalog: Catalog, id: string): { flow: Flow; ids: string[] } =>
  (TODO, flow, catalog, id) as never;
