/** What a text becomes, line by line. */

export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** Largest table of lines that is compared; more are shown as replaced as a whole. */
const CELLS = 400_000;

export function lineDiff(before: string, after: string): readonly DiffLine[] {
  const [old, next] = [before.split('\n'), after.split('\n')];
  const shorter = Math.min(old.length, next.length);
  let head = 0;
  while (head < shorter && old[head] === next[head]) {
    head += 1;
  }
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === next.at(-1 - tail)) {
    tail += 1;
  }
  return [
    ...lines('same', old.slice(0, head)),
    ...middle(old.slice(head, old.length - tail), next.slice(head, next.length - tail)),
    ...lines('same', old.slice(old.length - tail))
  ];
}

function lines(kind: DiffLine['kind'], texts: readonly string[]): DiffLine[] {
  return texts.map(text => ({ kind, text }));
}

function middle(old: readonly string[], next: readonly string[]): DiffLine[] {
  if (old.length * next.length > CELLS) {
    return [...lines('removed', old), ...lines('added', next)];
  }
  const common = commonLengths(old, next);
  const found: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < next.length) {
    const [removed, added] = [common[i + 1]?.[j] ?? -1, common[i]?.[j + 1] ?? -1];
    if (i < old.length && j < next.length && old[i] === next[j]) {
      found.push({ kind: 'same', text: old[i] ?? '' });
      i += 1;
      j += 1;
    } else if (i < old.length && (j === next.length || removed >= added)) {
      found.push({ kind: 'removed', text: old[i] ?? '' });
      i += 1;
    } else {
      found.push({ kind: 'added', text: next[j] ?? '' });
      j += 1;
    }
  }
  return found;
}

/** How many lines two texts have in common, from each pair of lines on. */
function commonLengths(old: readonly string[], next: readonly string[]): number[][] {
  const table = Array.from({ length: old.length + 1 }, () =>
    new Array<number>(next.length + 1).fill(0)
  );
  for (let i = old.length - 1; i >= 0; i -= 1) {
    const [row, below] = [table[i] ?? [], table[i + 1] ?? []];
    for (let j = next.length - 1; j >= 0; j -= 1) {
      row[j] =
        old[i] === next[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return table;
}
