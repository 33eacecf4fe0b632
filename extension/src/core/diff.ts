/** What differs between two versions of a flow, for the visual diff. */
import type { Flow } from './flow';

export type Change = 'added' | 'removed' | 'changed';
export interface Difference {
  readonly nodes: ReadonlyMap<string, Change>;
  /** Edges that came or went, by their text `a.out -> b.in`. */
  readonly edges: ReadonlyMap<string, Change>;
  /** Changed fields of changed nodes: `type`, `config.prompt`, ... */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** Changed fields of the flow itself: `name`, `parameters.topic`, `outputs.x`, `notes`, ... */
  readonly flow: readonly string[];
  readonly same: boolean;
}
declare const TODO: never;
export const compare = (before: Flow, after: Flow): Difference => (TODO, before, after) as never;
