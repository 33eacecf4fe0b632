import {
  tableFromArrays,
  tableToIPC,
  timestamp,
  utf8,
  int64,
  columnFromArray,
  tableFromColumns
} from '@uwdata/flechette';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ansiSpans, plainText } from '../../src/core/ansi';
import { readTable } from '../../src/core/arrow';
import { byteSize, visible } from '../../src/core/text';
import { duration } from '../../src/core/format';
import { ticks, timeline } from '../../src/core/timeline';
import type { TimelineStep } from '../../src/core/protocol';
import { hostile } from '../hostile';

const CORPUS = hostile('http://127.0.0.1:1/canary');
const LEFT =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/;

function pageOf(bytes: Uint8Array, shift = 0): DataView {
  const moved = new Uint8Array(bytes.length + shift);
  moved.set(bytes, shift);
  return new DataView(moved.buffer, shift, bytes.length);
}

describe('text of strangers', () => {
  it('is a corpus of some size, each with a name of its own', () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(60);
    expect(new Set(CORPUS.map(({ name }) => name)).size).toBe(CORPUS.length);
  });

  it('keeps nothing that hides or turns text round', () => {
    for (const { text } of CORPUS) {
      expect(visible(text)).not.toMatch(LEFT);
      expect(plainText(text)).not.toMatch(LEFT);
    }
    expect(visible('fdp\u202Eexe')).toBe('fdp<U+202E>exe');
    expect(visible('Tiếng Việt 👍 한국어')).toBe('Tiếng Việt 👍 한국어');
  });

  it('is never lost from plain lines', () => {
    const plain = fc.string({ unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(plain, text => {
        expect(plainText(text)).toBe(text);
      })
    );
  });
});

describe('terminal output', () => {
  it('keeps colours and drops links, titles and cursor movements', () => {
    const text = '\u001b[1;31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007\u001b[2J';
    expect(ansiSpans(text)).toEqual([
      { text: 'red', classes: ['iai-ansi-bold', 'iai-ansi-red'] },
      { text: ' link', classes: [] }
    ]);
  });

  it('knows bright and indexed colours, and ends of styles', () => {
    const classes = (codes: string): readonly string[] =>
      ansiSpans(`\u001b[${codes}mx`)[0]?.classes ?? [];
    expect(classes('92;44')).toEqual(['iai-ansi-green', 'iai-ansi-on-blue']);
    expect(classes('38;5;1')).toEqual(['iai-ansi-red']);
    expect(classes('38;2;1;31;3;4')).toEqual(['iai-ansi-underline']);
    expect(classes('1;4;22;31;39')).toEqual(['iai-ansi-underline']);
  });

  it('shows what a carriage return leaves', () => {
    expect(plainText('10%\r50%\r100%\ndone\r\nab\b\bc')).toBe('100%\ndone\nc');
  });
});

describe('Arrow pages', () => {
  it('become text, cell by cell', () => {
    const table = tableFromColumns([
      ['id', columnFromArray([2n ** 60n, -1n], int64())],
      ['name', columnFromArray(['<b>', null], utf8())],
      ['at', columnFromArray([new Date(Date.UTC(2027, 2, 14, 2, 30)), null], timestamp())]
    ]);
    const page = readTable(pageOf(tableToIPC(table, { format: 'stream' }) as Uint8Array, 3));
    expect(page.columns).toEqual([
      { name: 'id', type: 'int64' },
      { name: 'name', type: 'text' },
      { name: 'at', type: 'timestamp' }
    ]);
    expect(page.rows).toEqual([
      ['1152921504606846976', '<b>', '2027-03-14 02:30:00'],
      ['-1', null, null]
    ]);
  });

  it('show what is not a number, and lists', () => {
    const table = tableFromArrays({ x: [NaN, Infinity, 1.5], l: [[1, 2], [], null] });
    const { rows, columns } = readTable(
      pageOf(tableToIPC(table, { format: 'stream' }) as Uint8Array)
    );
    expect(rows).toEqual([
      ['NaN', '[1,2]'],
      ['Infinity', '[]'],
      ['1.5', null]
    ]);
    expect(columns[0]?.type).toBe('float64');
  });

  it('refuse what is no table', () => {
    expect(() => readTable(pageOf(new TextEncoder().encode('<script>')))).toThrow();
  });
});

const step = (change: Partial<TimelineStep>): TimelineStep => ({
  path: 'a',
  node: 'a',
  type: 't',
  state: 'completed',
  attempt: 1,
  source: 'executed',
  started_at: 100,
  ended_at: 101,
  queue_wait_s: 0,
  ...change
});

describe('the timeline', () => {
  it('puts steps at the same time into rows, and nodes into lanes', () => {
    const shown = timeline(
      [
        step({ path: 'm/0', node: 'm', started_at: 100, ended_at: 102 }),
        step({ path: 'm/1', node: 'm', started_at: 101, ended_at: 103, queue_wait_s: 5 }),
        step({ path: 'm/2', node: 'm', started_at: 102, ended_at: 104 }),
        step({ path: 'n', node: 'n', state: 'running', started_at: 104, ended_at: null }),
        step({ path: 'o', started_at: null })
      ],
      110
    );
    expect(shown).toMatchObject({ start: 100, span: 10 });
    expect(shown.lanes.map(({ node, rows }) => [node, rows])).toEqual([
      ['m', 2],
      ['n', 1]
    ]);
    expect(shown.lanes[0]?.bars.map(bar => bar.row)).toEqual([0, 1, 0]);
    expect(shown.lanes[0]?.bars[1]?.wait).toBe(1);
    expect(shown.lanes[1]?.bars[0]?.length).toBe(6);
  });

  it('marks what came from the cache, all of a run too', () => {
    const cached = { source: 'cache', started_at: 100, ended_at: 100, attempt: 0 };
    const shown = timeline([step({ ...cached, path: 'a' }), step({ ...cached, node: 'b' })], 200);
    const bars = shown.lanes.flatMap(lane => lane.bars);
    expect(shown.lanes.map(lane => lane.node)).toEqual(['a', 'b']);
    expect(bars.map(bar => [bar.mark, bar.length])).toEqual([
      [true, 0],
      [true, 0]
    ]);
    expect(timeline([step({})], 200).lanes[0]?.bars[0]?.mark).toBe(false);
  });

  it('has room for every bar, whatever the times', () => {
    const time = fc.double({ min: 0, max: 1e6, noNaN: true });
    const any = fc.record({ started_at: time, ended_at: fc.option(time) });
    fc.assert(
      fc.property(fc.array(any), times => {
        const shown = timeline(times.map(step), 500);
        for (const bar of shown.lanes.flatMap(lane => lane.bars)) {
          expect(bar.length).toBeGreaterThanOrEqual(0);
          expect(bar.start).toBeGreaterThanOrEqual(0);
          expect(bar.start + bar.length).toBeLessThanOrEqual(shown.span * (1 + 1e-9) + 1e-6);
        }
      })
    );
  });

  it('draws a handful of round grid lines', () => {
    expect(ticks(0)).toEqual([]);
    expect(ticks(10)).toEqual([0, 2, 4, 6, 8, 10]);
    for (const span of [0.3, 7, 59, 3601, 1e6]) {
      expect(ticks(span).length).toBeGreaterThanOrEqual(4);
      expect(ticks(span).length).toBeLessThanOrEqual(9);
    }
  });

  it('labels no two grid lines of a short run alike', () => {
    expect(ticks(0.0034).map(duration)).toEqual(['0 ms', '1 ms', '2 ms', '3 ms']);
    expect(ticks(1e-6)).toEqual([0]);
  });
});

it('spells sizes', () => {
  expect([0, 999, 1000, 3_440_000, 123_000_000_000].map(byteSize)).toEqual([
    '0 B',
    '999 B',
    '1.0 KB',
    '3.4 MB',
    '123 GB'
  ]);
});
