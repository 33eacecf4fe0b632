/** Edits of a flow's parameters. */
import type { Flow, JsonObject } from '../flow';

declare const TODO: never;
/** Add or change; throws an `EditError` when the name is not allowed. */
export const setParameter = (flow: Flow, name: string, spec: JsonObject): Flow =>
  (TODO, flow, name, spec) as never;
/** Its edges go with it. */
export const removeParameter = (flow: Flow, name: string): Flow => (TODO, flow, name) as never;
/** Edges, templates and expressions that use it follow. */
export const renameParameter = (flow: Flow, name: string, newName: string): Flow =>
  (TODO, flow, name, newName) as never;
