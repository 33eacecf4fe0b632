/** Edits of groups. A node is in one group at most. */
import type { Flow } from '../flow';
import type { Added } from './nodes';

declare const TODO: never;
export const group = (flow: Flow, ids: Iterable<string>, title: string): Added =>
  (TODO, flow, ids, title) as never;
/** Dissolve these groups; ids of nodes stand for the groups that hold them. */
export const ungroup = (flow: Flow, ids: Iterable<string>): Flow => (TODO, flow, ids) as never;
export const renameGroup = (flow: Flow, id: string, title: string): Flow =>
  (TODO, flow, id, title) as never;
