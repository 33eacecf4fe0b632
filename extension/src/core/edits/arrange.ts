/** Edits of positions. */
import type { Flow } from '../flow';
import type { Sizes } from '../layout';
import type { Point } from './nodes';

export type Alignment = 'left' | 'center' | 'right' | 'top' | 'middle' | 'bottom';
declare const TODO: never;
export const move = (flow: Flow, positions: ReadonlyMap<string, Point>): Flow =>
  (TODO, flow, positions) as never;
export const align = (flow: Flow, ids: Iterable<string>, how: Alignment, sizes: Sizes): Flow =>
  (TODO, flow, ids, how, sizes) as never;
export const distribute = (
  flow: Flow,
  ids: Iterable<string>,
  axis: 'horizontal' | 'vertical',
  sizes: Sizes
): Flow => (TODO, flow, ids, axis, sizes) as never;
