/** What differs between two texts, word by word. */

export interface Piece {
  readonly change: 'same' | 'added' | 'removed';
  readonly text: string;
}

/** Pairs of words that are compared at most; beyond, what differs is one part. */
const MOST = 250_000;

export function textDiff(before: string, after: string): readonly Piece[] {
  const [old, next] = [words(before), words(after)];
  const start = shared(old, next, index => index);
  const rest = Math.min(old.length, next.length) - start;
  const end = Math.min(
    rest,
    shared(old, next, (index, list) => list.length - 1 - index)
  );
  const [was, is] = [old.slice(start, old.length - end), next.slice(start, next.length - end)];
  return joined([
    { change: 'same', text: old.slice(0, start).join('') },
    ...(was.length * is.length > MOST ? whole(was, is) : compared(was, is)),
    { change: 'same', text: old.slice(old.length - end).join('') }
  ]);
}

/** How many words two lists have in common from one of their ends. */
function shared(
  old: readonly string[],
  next: readonly string[],
  place: (index: number, list: readonly string[]) => number
): number {
  const most = Math.min(old.length, next.length);
  let count = 0;
  while (count < most && old[place(count, old)] === next[place(count, next)]) {
    count += 1;
  }
  return count;
}

/** Words, and what stands between them. */
function words(text: string): string[] {
  return text.match(/[\p{L}\p{N}\p{M}_]+|\s+|[^\p{L}\p{N}\p{M}_\s]/gu) ?? [];
}

function whole(old: readonly string[], next: readonly string[]): Piece[] {
  return [
    { change: 'removed', text: old.join('') },
    { change: 'added', text: next.join('') }
  ];
}

function compared(old: readonly string[], next: readonly string[]): Piece[] {
  const lengths = common(old, next);
  const pieces: Piece[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < next.length) {
    const [was, is] = [old[i], next[j]];
    if (was !== undefined && was === is) {
      pieces.push({ change: 'same', text: was });
      i += 1;
      j += 1;
    } else if (
      is === undefined ||
      (was !== undefined && at(lengths, i + 1, j) >= at(lengths, i, j + 1))
    ) {
      pieces.push({ change: 'removed', text: was ?? '' });
      i += 1;
    } else {
      pieces.push({ change: 'added', text: is });
      j += 1;
    }
  }
  return pieces;
}

/** How many words the rests of two lists have in common, by where the rests begin. */
function common(old: readonly string[], next: readonly string[]): readonly Uint32Array[] {
  const rows = Array.from({ length: old.length + 1 }, () => new Uint32Array(next.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = next.length - 1; j >= 0; j -= 1) {
      const value =
        old[i] === next[j]
          ? at(rows, i + 1, j + 1) + 1
          : Math.max(at(rows, i + 1, j), at(rows, i, j + 1));
      (rows[i] as Uint32Array)[j] = value;
    }
  }
  return rows;
}

function at(rows: readonly Uint32Array[], i: number, j: number): number {
  return rows[i]?.[j] ?? 0;
}

/** Neighbours of one kind as one piece, what was removed before what was added. */
function joined(pieces: readonly Piece[]): readonly Piece[] {
  const made: Piece[] = [];
  let [removed, added] = ['', ''];
  const flush = (): void => {
    add(made, 'removed', removed);
    add(made, 'added', added);
    [removed, added] = ['', ''];
  };
  for (const { change, text } of pieces.filter(piece => piece.text !== '')) {
    if (change === 'removed') {
      removed += text;
    } else if (change === 'added') {
      added += text;
    } else {
      flush();
      add(made, 'same', text);
    }
  }
  flush();
  return made;
}

function add(made: Piece[], change: Piece['change'], text: string): void {
  const last = made.at(-1);
  if (last?.change === change) {
    made[made.length - 1] = { change, text: last.text + text };
  } else if (text !== '') {
    made.push({ change, text });
  }
}
