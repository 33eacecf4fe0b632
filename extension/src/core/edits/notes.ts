/** Edits of notes. */
import type { Flow, Note } from '../flow';
import { freeName } from '../fresh';
import { type Added, type Point, rounded } from './nodes';
import { without } from './records';

const WIDTH = 240;
const HEIGHT = 120;

/** Add a note with its upper left corner at a point. */
export function addNote(flow: Flow, at: Point, text = ''): Added {
  const isTaken = (id: string): boolean =>
    flow.notes.some(note => note.id === id) || Object.hasOwn(flow.nodes, id);
  const id = freeName('note', isTaken);
  const [x, y] = rounded(at);
  const note: Note = { id, text, x, y, width: WIDTH, height: HEIGHT };
  return { flow: { ...flow, notes: [...flow.notes, note] }, id };
}

/** Change fields of a note; a `color` that is `undefined` is removed. */
export function setNote(flow: Flow, id: string, change: Partial<Omit<Note, 'id'>>): Flow {
  const note = flow.notes.find(found => found.id === id);
  const keys = Object.keys(change) as (keyof typeof change)[];
  if (!note || keys.every(key => Object.is(note[key], change[key]))) {
    return flow;
  }
  const gone = new Set<string>(keys.filter(key => change[key] === undefined));
  const next = { ...note, ...without(change, gone) };
  const notes = flow.notes.map(found => (found === note ? without(next, gone) : found));
  return { ...flow, notes };
}

/** Remove notes. */
export function removeNotes(flow: Flow, ids: Iterable<string>): Flow {
  const gone = new Set(ids);
  const notes = flow.notes.filter(note => !gone.has(note.id));
  return notes.length === flow.notes.length ? flow : { ...flow, notes };
}
