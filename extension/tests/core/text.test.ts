import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replacement, wellFormed } from '../../src/core/text';

describe('the part of a text that has changed', () => {
  it('is as small as can be', () => {
    expect(replacement('# b\ncode', '# a\n# b\ncode')).toEqual({ start: 2, end: 2, text: 'a\n# ' });
    expect(replacement('aa', 'aaa')).toEqual({ start: 2, end: 2, text: 'a' });
    expect(replacement('same', 'same')).toEqual({ start: 4, end: 4, text: '' });
  });

  it('makes the other text of it', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', '\n', '😀', '😁', '🐀'),
      maxLength: 12
    });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const { start, end, text: put } = replacement(before, after);
        expect(before.slice(0, start) + put + before.slice(end)).toBe(after);
        expect([put, before.slice(start, end)].every(part => wellFormed(part) === part)).toBe(true);
      })
    );
  });
});
