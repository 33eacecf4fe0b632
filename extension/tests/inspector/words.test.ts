/** Days, states, limits, reasons and differences as people read them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { translator } from '../../src/core/i18n';
import { textDiff } from '../../src/inspector/diff';
import { changesOf, draftOf } from '../../src/inspector/EditForm';
import { newestFirst, placeOf, scaleOf } from '../../src/inspector/History';
import { fieldOf, limitsOf, momentOf, NO_LIMITS } from '../../src/inspector/limits';
import { translatorOfMemory } from '../../src/inspector/locale';
import {
  aboutText,
  days,
  reasonText,
  scopeText,
  spanText,
  standingText,
  whenText
} from '../../src/inspector/words';
import { item } from './stage';

const trans = translator('en');
const NOON = new Date(2026, 10, 23, 12).getTime() / 1000;

describe('days', () => {
  it('hold what was said on them, in order', () => {
    const said = [NOON + 60, NOON, NOON - 86_400].map((at, n) => item(n, { at }));
    const found = days(said, 'en');
    expect(found.map(day => day.items.length)).toEqual([2, 1]);
    expect(found[0]?.title).toBe('Monday, November 23, 2026');
  });

  it('that no calendar has are one', () => {
    expect(days([item(1, { at: 1e30 }), item(2, { at: null })], 'en')).toHaveLength(1);
    expect(whenText(1e30, 'en')).toBe('?');
  });
});

describe('how a version stands', () => {
  it('is said where it is not simply so', () => {
    const said = (change: object): string => standingText(item(1, change), trans, 'en');
    expect(said({})).toBe('');
    expect(said({ standing: 'forgotten', recorded_to: NOON })).toMatch(/^Forgotten Nov 23/);
    expect(said({ standing: 'expired', expires_at: NOON })).toMatch(/^Expired Nov 23/);
    expect(said({ standing: 'over', valid_to: NOON })).toMatch(/^Was so until Nov 23/);
    expect(said({ standing: 'later', valid_from: NOON })).toMatch(/^Will be so from Nov 23/);
    expect(said({ valid_to: NOON })).toMatch(/^Is so until Nov 23/);
  });

  it('is said of both ends', () => {
    expect(spanText(NOON, null, trans, 'en')).toMatch(/^since Nov 23, 2026/);
    expect(spanText(NOON, NOON + 1, trans, 'en')).toMatch(/ to Nov 23, 2026/);
  });
});

describe('texts of strangers', () => {
  it('hide nothing', () => {
    expect(aboutText(item(1, { role: 'a\u202eb', subject: 's' }))).toBe('a<U+202E>b · s');
    expect(scopeText({ user: 'x\u200by' }, {}, trans)).toBe('user x<U+200B>y');
  });

  it('of a scope say what the memory does not say itself', () => {
    expect(scopeText({ user: 'anna', thread: 't' }, { user: 'anna' }, trans)).toBe('thread t');
  });
});

describe('limits', () => {
  it('hold whole days and a moment, in the reader’s time', () => {
    const limits = limitsOf({
      ...NO_LIMITS,
      since: '2026-11-23',
      until: '2026-11-23',
      asOf: '2026-11-23T12:00'
    });
    expect(limits.since).toBe(NOON - 12 * 3600);
    expect(limits.until).toBe(new Date(2026, 10, 24).getTime() / 1000);
    expect(limits.as_of).toBe(NOON);
  });

  it('leave out what is no moment', () => {
    expect(limitsOf({ ...NO_LIMITS, since: 'soon', asOf: 'then' })).toMatchObject({
      since: null,
      as_of: null
    });
    expect(fieldOf(1e30)).toBe('');
  });

  it('read what a field was given', () => {
    expect(momentOf(fieldOf(NOON))).toBe(NOON);
  });
});

describe('a draft', () => {
  const old = item(1, { text: 'old', tags: ['a'], valid_from: 5 });

  it('changes what is different alone', () => {
    expect(changesOf(old, draftOf(old))).toEqual({});
    const draft = { ...draftOf(old), text: 'new', subject: ' Anna ', tags: 'a, b' };
    expect(changesOf(old, draft)).toEqual({ text: 'new', subject: 'Anna', tags: ['a', 'b'] });
  });

  it('says since when, or that it was never right', () => {
    const draft = { ...draftOf(old), since: '2026-11-23T12:00' };
    expect(changesOf(old, draft)).toEqual({ valid_from: NOON });
    expect(changesOf(old, { ...draft, isCorrection: true })).toEqual({ valid_from: 5 });
  });

  it('does not cut a text that is shown in part', () => {
    const long = item(1, { is_cut: true });
    expect(changesOf(long, { ...draftOf(long), text: 'short' })).toEqual({});
  });
});

describe('a difference', () => {
  it('is told in whole words', () => {
    expect(textDiff('flies on Monday, early', 'flies on Tuesday, early')).toEqual([
      { change: 'same', text: 'flies on ' },
      { change: 'removed', text: 'Monday' },
      { change: 'added', text: 'Tuesday' },
      { change: 'same', text: ', early' }
    ]);
    expect(textDiff('đi Hà Nội', 'đi Hà Giang').map(piece => piece.text)).toEqual([
      'đi Hà ',
      'Nội',
      'Giang'
    ]);
  });

  it('gives both texts back', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', ' ', 'cd', '.', '\n', '😀'))
      .map(all => all.join(''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const pieces = textDiff(before, after);
        const without = (change: string): string =>
          pieces
            .filter(piece => piece.change !== change)
            .map(piece => piece.text)
            .join('');
        expect(without('added')).toBe(before);
        expect(without('removed')).toBe(after);
      })
    );
  });

  it('of long texts is found at once', () => {
    const long = (word: string): string =>
      Array.from({ length: 5_000 }, (_, n) => word + n).join(' ');
    expect(textDiff(long('a'), long('b')).map(piece => piece.change)).toContain('added');
  });
});

describe('the axes of a history', () => {
  it('share a scale that holds every moment', () => {
    const versions = [item(1, { valid_from: 10, recorded_to: 40 }), item(2, { valid_from: 60 })];
    const scale = scaleOf(versions, 50);
    expect(scale.start).toBe(1);
    expect(scale.end).toBeGreaterThan(60);
    const { start, width } = placeOf(10, null, scale);
    expect(start + width).toBeCloseTo(100);
    expect(placeOf(60, 60, scale).width).toBeGreaterThan(0);
  });

  it('begin with what is so last of what was recorded last', () => {
    const versions = [
      item(1, { recorded_from: 1 }),
      item(2, { recorded_from: 9, valid_from: 9 }),
      item(3, { recorded_from: 9, valid_from: 1 })
    ];
    expect(newestFirst(versions).map(one => one.n)).toEqual([2, 3, 1]);
  });
});

describe('reasons', () => {
  it('are in the reader’s language, and in English where it has none', () => {
    const vietnamese = translatorOfMemory('vi-VN');
    const words = { part: 'words', value: 1, words: '' };
    expect(reasonText(words, ['anna'], vietnamese)).toBe('nó có chung từ với câu hỏi: anna');
    expect(reasonText({ ...words, part: 'new', words: 'it is new' }, [], vietnamese)).toBe(
      'it is new'
    );
  });
});
