/** Edits of notes. */
import type { Flow, Note } from '../flow';
import type { Added, Point } from './nodes';

declare const TODO: never;
export const addNote = (flow: Flow, at: Point, text?: string): Added =>
  (TODO, flow, at, text) as never;
export const setNote = (flow: Flow, id: string, change: Partial<Omit<Note, 'id'>>): Flow =>
  (TODO, flow, id, change) as never;
export const removeNotes = (flow: Flow, ids: Iterable<string>): Flow => (TODO, flow, ids) as never;
