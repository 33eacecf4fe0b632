/**
 * Notes and groups: in the file they are any objects; what they lack is filled in for the canvas and
 * not written until they are edited.
 */
import type { Group, Json, JsonObject, Note } from './flow';
import { carrySpelling } from './json';

/** Size of a note that does not say it, in pixels. */
const WIDTH = 240;
const HEIGHT = 120;

/** What the file holds for an object that was filled in. */
const written = new WeakMap<object, JsonObject>();

/** Notes of a file; each gets an id of its own. */
export function notesFromData(items: readonly JsonObject[]): readonly Note[] {
  return identified(items, 'note').map(([id, item]) => noteWithId(id, item));
}

/** Groups of a file; each gets an id of its own. */
export function groupsFromData(items: readonly JsonObject[]): readonly Group[] {
  return identified(items, 'group').map(([id, item]) => groupWithId(id, item));
}

/** One note of the file under its id. */
export function noteWithId(id: string, item: JsonObject): Note {
  const note = {
    ...item,
    id,
    text: text(item.text),
    x: number(item.x, 0),
    y: number(item.y, 0),
    width: number(item.width, WIDTH),
    height: number(item.height, HEIGHT)
  };
  return filled<Note & { color?: Json }>(note, item) as Note;
}

/** One group of the file under its id. */
export function groupWithId(id: string, item: JsonObject): Group {
  const nodes = Array.isArray(item.nodes) ? item.nodes : [];
  const group = {
    ...item,
    id,
    title: text(item.title),
    nodes: nodes.filter((node: Json): node is string => typeof node === 'string')
  };
  return filled<Group & { color?: Json }>(group, item) as Group;
}

/** A note or a group as the file has it. */
export function markData(mark: Note | Group): JsonObject {
  return written.get(mark) ?? (mark as unknown as JsonObject);
}

function filled<T extends { color?: Json }>(made: T, item: JsonObject): T {
  if (typeof made.color !== 'string') {
    delete made.color;
  }
  carrySpelling(item, made as unknown as JsonObject);
  written.set(made, item);
  return made;
}

/** Give each item an id: its own where that is a text and the first of its kind. */
export function identified(
  items: readonly JsonObject[],
  kind: string
): (readonly [id: string, item: JsonObject])[] {
  const taken = new Set<string>();
  const owned = items.map(({ id }) => {
    const own = typeof id === 'string' && id !== '' && !taken.has(id);
    return own && taken.add(id) ? id : '';
  });
  let number = 0;
  return items.map((item, index) => {
    let id = owned[index] ?? '';
    while (!id || (!owned[index] && taken.has(id))) {
      number += 1;
      id = `${kind}-${number}`;
    }
    taken.add(id);
    return [id, item];
  });
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function number(value: Json | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
