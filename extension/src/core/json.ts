/**
 * JSON that keeps what JavaScript loses: how numbers are spelled (`1.0`, `1152921504606846976`) and
 * the order of keys that look like indexes. Both are remembered beside the parsed objects, which are
 * plain data that nobody changes in place.
 */
import type { Json, JsonObject } from './flow';
import { codePoint, quoted } from './names';

/** A flow file that cannot be read or written: one sentence, the place, and what to do. */
export class FlowFileError extends Error {
  constructor(
    message: string,
    readonly where = '',
    readonly remedy = ''
  ) {
    super(message);
    this.name = 'FlowFileError';
  }

  /** What is wrong - where - what to do. */
  get sentence(): string {
    return [this.message, this.where, this.remedy].filter(Boolean).join(' - ');
  }
}

/** Deepest nesting of objects and lists. */
export const MAX_DEPTH = 100;
/** Integers beyond 64 bits are changed by databases and other languages. */
const MAX_INTEGER = 2n ** 63n - 1n;

/** What the plain data of an object or list does not say. */
interface Spelling {
  /** Keys in their order; absent: the object's own order. */
  readonly keys?: readonly string[];
  /** The text of numbers that would be written differently, by key. */
  readonly numbers: ReadonlyMap<string, string>;
}

type Container = JsonObject | readonly Json[];

const spellings = new WeakMap<object, Spelling>();

/** One entry of an object: its value and its text. */
export interface Leaf {
  readonly value: Json;
  readonly text: string;
}

/**
 * Read JSON within the limits of a flow file.
 *
 * @throws FlowFileError It is no JSON, or holds what a flow file may not hold.
 */
export function parseJson(text: string): Json {
  return new Reader(text).read();
}

/** Where reading stopped: `line 1, column 6: Expecting ',' delimiter.` */
export function spotOf(error: unknown): string {
  if (error instanceof FlowFileError) {
    return [error.where, error.remedy || error.message].filter(Boolean).join(': ');
  }
  return error instanceof Error ? error.message : String(error);
}

/** Write JSON on one line, as flow files have it. */
export function jsonLine(value: Json): string {
  return entryText([value], '0');
}

/** Read the text of one entry. @throws FlowFileError */
export function readLeaf(text: string): Leaf {
  return { value: parseJson(text), text };
}

/** The entries of an object, in order. */
export function leavesOf(object: JsonObject): [key: string, leaf: Leaf][] {
  return keysOf(object).map(key => [
    key,
    { value: object[key] as Json, text: entryText(object, key) }
  ]);
}

/** Make an object of entries; it keeps their order and spelling. */
export function objectOf(leaves: Iterable<readonly [key: string, leaf: Leaf]>): JsonObject {
  const made: Record<string, Json> = {};
  const keys: string[] = [];
  const numbers = new Map<string, string>();
  for (const [key, { value, text }] of leaves) {
    define(made, key, value);
    keys.push(key);
    if (typeof value === 'number' && spellNumber(value) !== text) {
      numbers.set(key, text);
    }
  }
  remember(made, keys, numbers);
  return made;
}

/** The keys of an object in the order in which they are written; absent values are left out. */
export function keysOf(object: Readonly<Record<string, unknown>>): readonly string[] {
  const keys = spellings.get(object)?.keys ?? Object.keys(object);
  return keys.filter(key => object[key] !== undefined);
}

/** Whether a number of an object is written as a whole one: `1`, not `1.0`. */
export function isWhole(object: JsonObject, key: string): boolean {
  return Number.isInteger(object[key]) && !/[.e]/i.test(entryText(object, key));
}

/** Give a changed copy the spelling of what it was copied from, where values are the same. */
export function inheritSpelling(from: Json | undefined, to: Json | undefined): void {
  if (from === to || !isContainer(from) || !isContainer(to)) {
    return;
  }
  carrySpelling(from, to);
  for (const key of Object.keys(to)) {
    inheritSpelling(at(from, key), at(to, key));
  }
}

/** The same for the entries of the object itself, not for what they hold. */
export function carrySpelling(from: Container, to: Container): void {
  const known = spellings.get(from);
  if (!known) {
    return;
  }
  const own = spellings.get(to);
  const numbers = new Map(own?.numbers);
  const shift = Array.isArray(from) && Array.isArray(to) ? to.length - from.length : 0;
  for (const [key, text] of known.numbers) {
    for (const place of shift ? [key, String(Number(key) + shift)] : [key]) {
      if (Object.is(at(to, place), at(from, key)) && !numbers.has(place)) {
        numbers.set(place, text);
      }
    }
  }
  const keys = own?.keys ?? (known.keys && merged(known.keys, Object.keys(to)));
  spellings.set(to, keys ? { keys, numbers } : { numbers });
}

function merged(order: readonly string[], keys: readonly string[]): string[] {
  const present = new Set(keys);
  const kept = order.filter(key => present.has(key));
  const known = new Set(kept);
  return [...kept, ...keys.filter(key => !known.has(key))];
}

/** The text of one entry of an object or list, on one line. */
export function entryText(container: Container, key: string): string {
  const value = at(container, key);
  if (typeof value === 'number') {
    return spellings.get(container)?.numbers.get(key) ?? spellNumber(value);
  }
  if (!isContainer(value)) {
    return JSON.stringify(value ?? null);
  }
  if (Array.isArray(value)) {
    return `[${value.map((_, index) => entryText(value, String(index))).join(', ')}]`;
  }
  const object = value as JsonObject;
  const entries = keysOf(object).map(name => `${JSON.stringify(name)}: ${entryText(object, name)}`);
  return `{${entries.join(', ')}}`;
}

function at(container: Container, key: string): Json | undefined {
  return Object.prototype.hasOwnProperty.call(container, key)
    ? (container as JsonObject)[key]
    : undefined;
}

/** Whether a value is an object or a list. */
export function isContainer(value: Json | undefined): value is Container {
  return typeof value === 'object' && value !== null;
}

/** A number as it is written where nothing else is remembered. */
function spellNumber(value: number): string {
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : spellFloat(value);
}

/** A float as Python writes it. */
function spellFloat(value: number): string {
  if (Object.is(value, -0)) {
    return '-0.0';
  }
  if (!Number.isFinite(value)) {
    return String(value);
  }
  const [digits = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${digits}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** Assignment that also takes `__proto__` for a name. */
function define(object: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true
    });
  } else {
    object[key] = value;
  }
}

function remember(made: JsonObject, keys: readonly string[], numbers: Map<string, string>): void {
  const reordered = keys.some(startsWithDigit) && !sameOrder(keys, Object.keys(made));
  if (reordered || numbers.size) {
    spellings.set(made, reordered ? { keys, numbers } : { numbers });
  }
}

function startsWithDigit(key: string): boolean {
  return key >= '0' && key < ':';
}

function sameOrder(one: readonly string[], other: readonly string[]): boolean {
  return one.every((key, index) => key === other[index]);
}

/** The number of characters, where JavaScript counts those beyond U+FFFF twice. */
export function characters(text: string): number {
  if (!/[\ud800-\udbff]/.test(text)) {
    return text.length;
  }
  return text.length - [...text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)].length;
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
const WORDS: readonly (readonly [string, Json])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity]
];
const UNSAFE = /[\0\ud800-\udfff]/u;

interface Found {
  readonly at: number;
  readonly message: string;
  readonly place: string;
}

/** A parser with the limits and the sentences of the Python side. */
class Reader {
  private position = 0;
  private readonly path: (string | number)[] = [];
  /** The first thing that may not be there, by where it starts in the text. */
  private fault: Found | null = null;

  constructor(private readonly text: string) {}

  read(): Json {
    this.skip();
    const { value } = this.value();
    this.skip();
    if (this.position < this.text.length) {
      throw this.wrong('Extra data');
    }
    if (this.fault) {
      throw new FlowFileError(this.fault.message, this.fault.place);
    }
    return value;
  }

  private value(): Leaf {
    const start = this.position;
    const character = this.text[start];
    if (character === '"') {
      return { value: this.checkedText(), text: '' };
    }
    if (character === '{' || character === '[') {
      if (this.path.length >= MAX_DEPTH) {
        throw new FlowFileError(`Nested deeper than ${MAX_DEPTH} levels.`, this.spot(start));
      }
      this.position++;
      return { value: character === '{' ? this.object(start) : this.list(), text: '' };
    }
    return this.word() ?? this.number();
  }

  private object(start: number): JsonObject {
    const made: Record<string, Json> = {};
    const keys: string[] = [];
    const numbers = new Map<string, string>();
    this.skip();
    if (this.take('}')) {
      return made;
    }
    do {
      this.skip();
      const key = this.key(start);
      if (Object.prototype.hasOwnProperty.call(made, key)) {
        this.report(start, `Key ${quoted(key)} appears twice.`);
      }
      this.path.push(key);
      const { value, text } = this.value();
      this.path.pop();
      define(made, key, value);
      keys.push(key);
      if (text) {
        numbers.set(key, text);
      }
      this.skip();
    } while (this.take(','));
    this.close('}');
    remember(made, keys, numbers);
    return made;
  }

  private key(object: number): string {
    if (this.text[this.position] !== '"') {
      throw this.wrong('Expecting property name enclosed in double quotes');
    }
    const key = this.string();
    const fault = textFault(key);
    if (fault) {
      this.report(object, fault);
    }
    this.skip();
    if (!this.take(':')) {
      throw this.wrong("Expecting ':' delimiter");
    }
    this.skip();
    return key;
  }

  private list(): readonly Json[] {
    const made: Json[] = [];
    const numbers = new Map<string, string>();
    this.skip();
    if (this.take(']')) {
      return made;
    }
    do {
      this.skip();
      this.path.push(made.length);
      const { value, text } = this.value();
      this.path.pop();
      if (text) {
        numbers.set(String(made.length), text);
      }
      made.push(value);
      this.skip();
    } while (this.take(','));
    this.close(']');
    if (numbers.size) {
      spellings.set(made, { numbers });
    }
    return made;
  }

  private checkedText(): string {
    const start = this.position;
    const text = this.string();
    const fault = textFault(text);
    if (fault) {
      this.report(start, fault);
    }
    return text;
  }

  private string(): string {
    const start = this.position;
    let escaped = false;
    for (let end = start + 1; end < this.text.length; end++) {
      const code = this.text.charCodeAt(end);
      if (code === 0x22) {
        this.position = end + 1;
        const whole = this.text.slice(start, end + 1);
        return escaped ? (JSON.parse(whole) as string) : whole.slice(1, -1);
      }
      if (code < 0x20) {
        throw this.wrong('Invalid control character at', end);
      }
      if (code === 0x5c) {
        escaped = true;
        end = this.escape(end);
      }
    }
    throw this.wrong('Unterminated string starting at', start);
  }

  /** Check the escape at `start`; return where it ends. */
  private escape(start: number): number {
    const mark = this.text[start + 1] ?? '';
    if (mark === 'u') {
      if (!/^[0-9a-fA-F]{4}$/.test(this.text.slice(start + 2, start + 6))) {
        throw this.wrong('Invalid \\uXXXX escape', start + 1);
      }
      return start + 5;
    }
    if (mark && !'"\\/bfnrt'.includes(mark)) {
      throw this.wrong('Invalid \\escape', start);
    }
    return start + 1;
  }

  private word(): Leaf | null {
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.position)) {
        if (typeof value === 'number') {
          this.report(this.position, 'The number must be finite.');
        }
        this.position += word.length;
        return { value, text: '' };
      }
    }
    return null;
  }

  /** A number, and its text where that is not what would be written for it. */
  private number(): Leaf {
    NUMBER.lastIndex = this.position;
    const match = NUMBER.exec(this.text);
    if (!match) {
      throw this.wrong('Expecting value');
    }
    const [token, fraction, power] = match;
    const start = this.position;
    this.position += token.length;
    let value = Number(token);
    let text = token;
    if (fraction || power) {
      text = spellFloat(value);
      if (!Number.isFinite(value)) {
        this.report(start, 'The number must be finite.');
      }
    } else {
      value += 0; // "-0" is 0: only floats have a negative zero
      text = value === 0 ? '0' : token;
      if (token.length > 15 && isTooLarge(token)) {
        this.report(start, 'The number is too large (64 bits at most).');
      }
    }
    return { value, text: text === spellNumber(value) ? '' : text };
  }

  private take(character: string): boolean {
    if (this.text[this.position] !== character) {
      return false;
    }
    this.position++;
    return true;
  }

  private close(character: string): void {
    if (!this.take(character)) {
      throw this.wrong("Expecting ',' delimiter");
    }
  }

  private skip(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) {
        return;
      }
      this.position++;
    }
  }

  private report(at: number, message: string): void {
    if (!this.fault || at < this.fault.at) {
      this.fault = { at, message, place: spellPlace(this.path) };
    }
  }

  private wrong(message: string, position = this.position): FlowFileError {
    return new FlowFileError(
      "This isn't a flow file: invalid JSON.",
      this.spot(position),
      `${message}.`
    );
  }

  private spot(position: number): string {
    const before = this.text.slice(0, position);
    const line = before.split('\n').length;
    const column = characters(before.slice(before.lastIndexOf('\n') + 1)) + 1;
    return `line ${line}, column ${column}`;
  }
}

function isTooLarge(digits: string): boolean {
  const limit = digits.length > 20 ? MAX_INTEGER + 1n : BigInt(digits);
  return limit > MAX_INTEGER || -limit > MAX_INTEGER;
}

function textFault(text: string): string {
  const match = UNSAFE.exec(text);
  if (!match) {
    return '';
  }
  const position = characters(text.slice(0, match.index)) + 1;
  const character = codePoint(match[0]);
  return `The text holds an invalid character (${character}) at position ${position}.`;
}

/** Keys and indexes as `nodes.clean.config.tags[3]`. */
export function spellPlace(parts: readonly (string | number)[]): string {
  const text = parts.map(part => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  return text.startsWith('.') ? text.slice(1) : text;
}

/** What a JSON value is called in a sentence: `a list`, `a text`, `null`. */
export function kind(value: Json | undefined): string {
  if (value === null || value === undefined) {
    return 'null';
  }
  if (Array.isArray(value)) {
    return 'a list';
  }
  const kinds: Record<string, string> = {
    boolean: 'true or false',
    number: 'a number',
    string: 'a text'
  };
  return kinds[typeof value] ?? 'an object';
}
