/** Port types: the closed table that Python and the canvas share. */

/** The type of a port: a simple name, `list[...]`, or `model:NAME`. */
export interface PortType {
  readonly name: string;
  /** The type of the items, for "list". */
  readonly item: PortType | null;
  /** The name of the pydantic model, for "model". */
  readonly model: string;
}

const SIMPLE = [
  'text',
  'number',
  'boolean',
  'json',
  'table',
  'image',
  'bytes',
  'file',
  'message',
  'any'
] as const;

/** What decides a port's colour. */
export type Family = (typeof SIMPLE)[number] | 'list' | 'model';

/** Longest spelling of a type, in characters. */
const MAX_LENGTH = 200;
const NAME = /^(?<outer>[a-z]+)(?:\[(?<item>.+)\]|:(?<model>[\p{L}\p{N}_.]+))?$/u;
const JSON_TYPES = new Set(['json', 'text', 'number', 'boolean']);
const known = new Map<string, PortType>();

/** Read a port type from its spelling. @throws Error when it is not in the table. */
export function parseType(text: string): PortType {
  let found = known.get(text);
  if (!found) {
    found = read(text);
    known.set(text, found);
  }
  return found;
}

function read(text: string): PortType {
  const match = [...text].length <= MAX_LENGTH ? NAME.exec(text) : null;
  const { outer = '', item, model } = match?.groups ?? {};
  if (outer === 'list' && item) {
    return { name: 'list', item: parseType(item), model: '' };
  }
  if (outer === 'model' && model) {
    return { name: 'model', item: null, model };
  }
  if (isSimple(outer) && !item && !model) {
    return { name: outer, item: null, model: '' };
  }
  throw new Error(`'${text.slice(0, MAX_LENGTH)}' is not a port type.`);
}

function isSimple(name: string): name is (typeof SIMPLE)[number] {
  return (SIMPLE as readonly string[]).includes(name);
}

/** Whether one value of type `source` may flow into a port of type `target`. */
export function accepts(target: string, source: string): boolean {
  return takes(parseType(target), parseType(source));
}

/** Whether edges of type `source` arrive at a port of type `target` as the items of a list. */
export function gathers(target: string, source: string): boolean {
  const { item } = parseType(target);
  const given = parseType(source);
  return item !== null && given.item === null && takes(item, given) && given.name !== 'any';
}

/** Whether the type is a list. */
export function isList(type: string): boolean {
  return parseType(type).item !== null;
}

function takes(target: PortType, source: PortType): boolean {
  if (target.name === 'any' || source.name === 'any' || equal(target, source)) {
    return true;
  }
  if (target.item && source.item) {
    return takes(target.item, source.item);
  }
  if (target.name === 'json') {
    return isJson(source);
  }
  return source.name === 'json' && isJson(target);
}

function equal(a: PortType, b: PortType): boolean {
  if (a.item && b.item) {
    return equal(a.item, b.item);
  }
  return a.name === b.name && a.model === b.model;
}

function isJson(type: PortType): boolean {
  return type.item ? isJson(type.item) : JSON_TYPES.has(type.name) || type.name === 'model';
}

/** The family that a type's colour shows; `any` for one that is not known. */
export function family(type: string): Family {
  try {
    const { name } = parseType(type);
    return isSimple(name) ? name : name === 'list' ? 'list' : 'model';
  } catch {
    return 'any';
  }
}
