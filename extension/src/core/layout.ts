/** Automatic layout. */
import type { Flow } from './flow';

export type Sizes = ReadonlyMap<string, readonly [width: number, height: number]>;
export interface ElkApi {
  layout(graph: ElkGraph): Promise<ElkGraph>;
}
export interface ElkGraph {
  id: string;
  x?: number;
  y?: number;
  width?: number;
  height?: number;
  layoutOptions?: Record<string, string>;
  children?: ElkGraph[];
  edges?: { id: string; sources: string[]; targets: string[] }[];
}
declare const TODO: never;
/** Place nodes from left to right; only `ids` when given. */
export const arrange = (
  flow: Flow,
  sizes: Sizes,
  elk?: () => Promise<ElkApi>,
  ids?: Iterable<string>
): Promise<Flow> => (TODO, flow, sizes, elk, ids) as never;
