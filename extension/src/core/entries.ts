/** Ordered entries of a Yjs document: a map of JSON texts, and an array with the order of its keys. */
import type * as Y from 'yjs';

/** A change of the Yjs document that is still to be made. */
export type Write = () => void;

export class Entries<T> {
  /** What was read last, so that what has not changed stays the same object. */
  private read = new Map<string, { readonly text: string; readonly value: T }>();

  constructor(
    readonly map: Y.Map<string>,
    readonly order: Y.Array<string>,
    private readonly parse: (text: string, key: string) => T,
    private readonly spell: (value: T) => string
  ) {}

  /** The least changes from what the document holds to `after`; `before` is what it holds. */
  changes(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): Write[] {
    const writes: Write[] = [];
    for (const [key, value] of after) {
      const text = before.get(key) === value && this.map.has(key) ? null : this.spell(value);
      if (text !== null && this.map.get(key) !== text) {
        writes.push(() => {
          this.map.set(key, text);
          this.read.set(key, { text, value });
        });
      }
    }
    const gone = [...this.map.keys()].filter(key => !after.has(key));
    writes.push(...gone.map(key => () => this.map.delete(key)));
    return [...writes, ...sequenceChanges(this.order, [...after.keys()])];
  }

  /** The entries in order. */
  values(): Map<string, T> {
    const read = new Map<string, { readonly text: string; readonly value: T }>();
    for (const key of orderedKeys(this.order, this.map)) {
      const text = this.map.get(key) as string;
      const known = this.read.get(key);
      read.set(key, known?.text === text ? known : { text, value: this.parse(text, key) });
    }
    this.read = read;
    return new Map([...read].map(([key, { value }]) => [key, value]));
  }
}

interface Keyed {
  readonly size: number;
  has(key: string): boolean;
  keys(): Iterable<string>;
}

/**
 * The keys of a map in their order. Edits that met may leave keys twice, without an entry, or out of
 * the order; then the first place counts, and keys without a place come last.
 */
export function orderedKeys(order: Y.Array<string>, map: Keyed): string[] {
  const keys = new Set(order.toArray().filter(key => map.has(key)));
  if (keys.size === map.size) {
    return [...keys];
  }
  const rest = [...map.keys()].filter(key => !keys.has(key)).sort();
  return [...keys, ...rest];
}

/** The changes that make an array hold `after`; what stands in both is left in its place. */
export function sequenceChanges(array: Y.Array<string>, after: readonly string[]): Write[] {
  const before = array.toArray();
  const steps = differences(before, after);
  return steps.length
    ? [
        () => {
          for (const [index, removed, added] of steps) {
            array.delete(index, removed);
            if (added.length) {
              array.insert(index, [...added]);
            }
          }
        }
      ]
    : [];
}

type Step = readonly [index: number, removed: number, added: readonly string[]];

/** Steps, to be taken one after the other, that turn one sequence into another. */
function differences(before: readonly string[], after: readonly string[]): Step[] {
  const left = counts(before);
  const steps: Step[] = [];
  let from = 0;
  let to = 0;
  while (from < before.length || to < after.length) {
    const start = to;
    let removed = 0;
    const added: string[] = [];
    while (before[from] !== after[to]) {
      const [old, next] = [before[from], after[to]];
      if (next !== undefined && !left.get(next)) {
        added.push(next);
        to++;
      } else if (old !== undefined) {
        removed++;
        lower(left, old);
        from++;
      } else if (next !== undefined) {
        added.push(next);
        to++;
      }
    }
    if (removed || added.length) {
      steps.push([start, removed, added]);
    }
    if (from < before.length) {
      lower(left, before[from] as string);
      from++;
      to++;
    }
  }
  return steps;
}

function counts(items: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const item of items) {
    found.set(item, (found.get(item) ?? 0) + 1);
  }
  return found;
}

function lower(found: Map<string, number>, item: string): void {
  found.set(item, (found.get(item) ?? 0) - 1);
}
