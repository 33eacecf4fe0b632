/** Names in flows: which ones are allowed, and what to say about the others. */
import { PARAMS } from './flow';

const NODE_ID = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const IDENTIFIER = /^[\p{XID_Start}_]\p{XID_Continue}*$/u;
/** Joiners (U+200C and U+200D) shape emoji and several scripts, so a text may hold them. */
const INVISIBLE = /(?![\u200c\u200d])\p{Cf}/u;
const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except ' +
    'finally for from global if import in is lambda nonlocal not or pass raise return try while ' +
    'with yield'
  ).split(' ')
);

/** What is wrong with a node id, as a sentence; "" when it is fine. */
export function nodeIdFault(id: string): string {
  if (id === PARAMS) {
    return `Node id '${PARAMS}' is reserved for the flow's parameters.`;
  }
  if (NODE_ID.test(id)) {
    return '';
  }
  const hidden = INVISIBLE.exec(id)?.[0];
  if (hidden) {
    return `Node id ${quoted(id, true)} holds the invisible character ${codePoint(hidden)}.`;
  }
  return (
    `Node id ${quoted(shorten(id))} must be 1 to 64 ASCII letters, digits, '_' or '-', ` +
    "and start with a letter or '_'."
  );
}

/** Whether `name` can name a port, parameter or output: a Python name, not a keyword. */
export function isName(name: string): boolean {
  return IDENTIFIER.test(name) && !KEYWORDS.has(name) && name.normalize('NFKC') === name;
}

/** `text` cut to `limit` characters, for messages. */
export function shorten(text: string, limit = 60): string {
  const characters = [...text];
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`;
}

/** `U+202E` for a character. */
export function codePoint(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t'
};

/** A text as Python quotes it in messages; `ascii`: other characters escaped as well. */
export function quoted(text: string, ascii = false): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const hidden = ascii ? /[^ -~]/u : /[\p{C}\p{Z}]/u;
  const escaped = [...text].map(character => {
    if (character === quote) {
      return `\\${quote}`;
    }
    return (
      ESCAPES[character] ??
      (character !== ' ' && hidden.test(character) ? hex(character) : character)
    );
  });
  return quote + escaped.join('') + quote;
}

function hex(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const [mark, width] = code < 0x100 ? ['x', 2] : code < 0x10000 ? ['u', 4] : ['U', 8];
  return `\\${mark}${code.toString(16).padStart(width, '0')}`;
}

/** `Did you mean 'x'?` for the nearest known name; "" when none is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const word = [...name].slice(0, 100).join('');
  let best = '';
  let score = 0.6;
  for (const candidate of known) {
    const found = similarity(candidate, word);
    if (found > score || (found === score && candidate > best)) {
      [best, score] = [candidate, found];
    }
  }
  return best ? `Did you mean ${quoted(best)}?` : '';
}

/** Ratcliff and Obershelp's measure from 0 to 1: shared characters of two texts. */
function similarity(a: string, b: string): number {
  return (2 * shared(a, b)) / (a.length + b.length || 1);
}

function shared(a: string, b: string): number {
  const [start, other, length] = longestMatch(a, b);
  if (length === 0) {
    return 0;
  }
  const before = shared(a.slice(0, start), b.slice(0, other));
  return before + length + shared(a.slice(start + length), b.slice(other + length));
}

function longestMatch(a: string, b: string): [number, number, number] {
  let best: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < b.length; j++) {
      let length = 0;
      while (i + length < a.length && j + length < b.length && a[i + length] === b[j + length]) {
        length++;
      }
      if (length > best[2]) {
        best = [i, j, length];
      }
    }
  }
  return best;
}
