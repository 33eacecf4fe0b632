/** Edits of nodes. */
import type { Catalog } from '../catalog';
import type { Flow, FlowNode, Json, JsonObject } from '../flow';

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
declare const TODO: never;
/** Why `id` can't name a (new) node of the flow, as a translatable sentence; null: it can. */
export const freshId = (flow: Flow, type: string): string => (TODO, flow, type) as never;
export const addNode = (
  flow: Flow,
  catalog: Catalog,
  type: string,
  at: Point,
  options?: AddOptions
): Added => (TODO, flow, catalog, type, at, options) as never;
export const removeNodes = (flow: Flow, ids: Iterable<string>): Flow => (TODO, flow, ids) as never;
/** Throws an `EditError` when the new id is taken or not allowed. */
export const renameNode = (flow: Flow, id: string, newId: string): Flow =>
  (TODO, flow, id, newId) as never;
export const setTitle = (flow: Flow, id: string, title: string): Flow =>
  (TODO, flow, id, title) as never;
export const setConfig = (flow: Flow, id: string, field: string, value: Json | undefined): Flow =>
  (TODO, flow, id, field, value) as never;
/** Fields that are `undefined` are removed. */
export const setNode = (flow: Flow, id: string, change: Partial<FlowNode>): Flow =>
  (TODO, flow, id, change) as never;
export const replaceType = (flow: Flow, catalog: Catalog, id: string, type: string): Flow =>
  (TODO, flow, catalog, id, type) as never;
