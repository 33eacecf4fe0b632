/** Ports and their types: which there are, and what fits into which. */
import type { Catalog, NodeType, Port } from './catalog';
import type { Wire } from './controller';
import type { Flow } from './flow';
import type { Sentence } from './sentence';

export interface PortType {
  readonly name: string;
  readonly item: PortType | null;
  readonly model: string;
}
export type Family =
  | 'text'
  | 'number'
  | 'boolean'
  | 'json'
  | 'table'
  | 'image'
  | 'bytes'
  | 'file'
  | 'message'
  | 'any'
  | 'list'
  | 'model';
/** `reason` is an English key for `trans(reason, values)`; "" when it is fine. */
export interface Verdict {
  readonly ok: boolean;
  readonly reason: string;
  readonly values: Sentence['values'];
}

declare const TODO: never;
/** Throws an `Error` when the spelling is not in the table. */
export const parseType = (text: string): PortType => (TODO, text) as never;
export const accepts = (target: string, source: string): boolean => (TODO, target, source) as never;
export const gathers = (target: string, source: string): boolean => (TODO, target, source) as never;
export const family = (type: string): Family => (TODO, type) as never;
/** Inputs of a node as drawn: named, wired config fields, wired free ones, names in templates. */
export const inputsOf = (flow: Flow, id: string, catalog: Catalog): readonly Port[] =>
  (TODO, flow, id, catalog) as never;
/** Outputs as drawn, `error` included; `params` as id gives the parameters. */
export const outputsOf = (flow: Flow, id: string, catalog: Catalog): readonly Port[] =>
  (TODO, flow, id, catalog) as never;
export const connectable = (flow: Flow, catalog: Catalog, source: Wire, target: Wire): Verdict =>
  (TODO, flow, catalog, source, target) as never;
export const compatibleTypes = (catalog: Catalog, wire: Wire, flow: Flow): NodeType[] =>
  (TODO, catalog, wire, flow) as never;
