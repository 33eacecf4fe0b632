/** Searching node types, and the nodes of a flow. */
import type { Catalog, NodeType } from './catalog';
import type { Wire } from './controller';
import type { Flow } from './flow';

export interface Found {
  readonly id: string;
  /** `title`, `type`, `id`, or `config.prompt`. */
  readonly field: string;
  /** The text around the place. */
  readonly text: string;
}
declare const TODO: never;
export const searchTypes = (
  catalog: Catalog,
  query: string,
  wire: Wire | null,
  flow: Flow
): NodeType[] => (TODO, catalog, query, wire, flow) as never;
export const findNodes = (flow: Flow, query: string): Found[] => (TODO, flow, query) as never;
