import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lineDiff } from '../../src/core/lineDiff';

const signs = (before: string, after: string): string[] =>
  lineDiff(before, after).map(
    ({ kind, text }) => ({ same: ' ', removed: '-', added: '+' })[kind] + text
  );

it('names the lines that came and went', () => {
  expect(signs('a\nb\nc', 'a\nB\nc\nd')).toEqual([' a', '-b', '+B', ' c', '+d']);
  expect(signs('a\nx\nb\ny\nc', 'a\nb\nc')).toEqual([' a', '-x', ' b', '-y', ' c']);
  expect(signs('same', 'same')).toEqual([' same']);
  expect(signs('', 'new')).toEqual(['-', '+new']);
});

it('holds both texts, whatever they are', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '', 'c'), { maxLength: 12 });
  fc.assert(
    fc.property(text, text, (old, next) => {
      const [before, after] = [old.join('\n'), next.join('\n')];
      const found = lineDiff(before, after);
      const without = (kind: string): string =>
        found
          .filter(line => line.kind !== kind)
          .map(line => line.text)
          .join('\n');
      expect(without('added')).toBe(before);
      expect(without('removed')).toBe(after);
    })
  );
});

it('gives up where comparing would take long, and still shows everything', () => {
  const long = (word: string): string =>
    Array.from({ length: 2_000 }, (_, n) => word + n).join('\n');
  expect(lineDiff(long('a'), long('b'))).toHaveLength(4_000);
});
