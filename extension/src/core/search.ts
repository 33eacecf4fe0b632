/** Searching node types, and the nodes of a flow. */
import type { Catalog, NodeType } from './catalog';
import type { Wire } from './controller';
import type { Flow, Json } from './flow';
import { bestPort, compatibleTypes, wireType } from './ports';

/** A place in a flow where a text was found. */
export interface Found {
  readonly id: string;
  /** `title`, `type`, `id`, `text` of a note, or `config.prompt`. */
  readonly field: string;
  /** The text around the place. */
  readonly text: string;
}

/** How far a match of each field counts, the most telling first. */
const WEIGHTS = [4, 3, 2, 1] as const;
const PREFIX = 100;
const WORD_START = 60;
const INSIDE = 30;
const SUBSEQUENCE = 10;
const AROUND = 40;

/** Lower case and without accents, so that `du lieu` finds `Dữ liệu`. */
export function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').replace(/[đĐ]/g, 'd').toLowerCase();
}

/** Node types that match a query and can take a wire: the best first, then those of its very type. */
export function searchTypes(
  catalog: Catalog,
  query: string,
  wire: Wire | null,
  flow: Flow
): NodeType[] {
  const types = wire ? compatibleTypes(catalog, wire, flow) : [...catalog.values()];
  const carried = wire && wireType(flow, catalog, wire);
  const isExact = (type: NodeType): number =>
    Number(carried !== null && wire !== null && bestPort(type, wire, carried)?.type === carried);
  const words = folded(query).split(/\s+/).filter(Boolean);
  return types
    .map(type => ({ type, score: scoreOf(type, words), exact: isExact(type) }))
    .filter(({ score }) => score > 0)
    .sort(
      (a, b) => b.score - a.score || b.exact - a.exact || a.type.title.localeCompare(b.type.title)
    )
    .map(({ type }) => type);
}

/** How well a type matches all words; 0 when one of them is nowhere. */
function scoreOf(type: NodeType, words: readonly string[]): number {
  const fields = [type.title, type.type, type.category, type.summary].map(folded);
  let total = 1;
  for (const word of words) {
    const scores = fields.map((field, index) => {
      // Letters scattered over a whole sentence are no match.
      const found = matched(field, word, index < 2);
      return found && found + (WEIGHTS[index] ?? 0);
    });
    const best = Math.max(...scores);
    if (best === 0) {
      return 0;
    }
    total += best;
  }
  return total;
}

function matched(text: string, word: string, isShort: boolean): number {
  if (text.startsWith(word)) {
    return PREFIX;
  }
  const at = text.indexOf(word);
  if (at > 0) {
    return startsWord(text, word) ? WORD_START : INSIDE;
  }
  return isShort && isSubsequence(text, word) ? SUBSEQUENCE : 0;
}

function startsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? '')) {
      return true;
    }
  }
  return false;
}

function isSubsequence(text: string, word: string): boolean {
  let at = 0;
  for (const letter of word) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) {
      return false;
    }
  }
  return true;
}

/** Places where the nodes and notes of a flow hold a text, one for each field. */
export function findNodes(flow: Flow, query: string): Found[] {
  const wanted = folded(query.trim());
  if (!wanted) {
    return [];
  }
  const found: Found[] = [];
  const look = (id: string, field: string, text: string): void => {
    const at = folded(text).indexOf(wanted);
    if (at >= 0) {
      found.push({ id, field, text: excerpt(text, at, wanted.length) });
    }
  };
  for (const [id, node] of Object.entries(flow.nodes)) {
    look(id, 'title', node.title ?? '');
    look(id, 'id', id);
    look(id, 'type', node.type);
    for (const [field, value] of Object.entries(node.config ?? {})) {
      look(id, `config.${field}`, textOf(value));
    }
    look(id, 'skip_if', node.skip_if ?? '');
  }
  flow.notes.forEach(note => look(note.id, 'text', note.text));
  return found;
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function excerpt(text: string, at: number, length: number): string {
  const start = Math.max(0, at - AROUND);
  const end = Math.min(text.length, at + length + AROUND);
  const inner = text.slice(start, end).replace(/\s+/g, ' ');
  return `${start > 0 ? '…' : ''}${inner}${end < text.length ? '…' : ''}`;
}
