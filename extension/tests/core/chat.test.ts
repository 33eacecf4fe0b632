import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asked,
  askedAnew,
  canAsk,
  newThread,
  shownBranch,
  titleOf,
  told,
  versionsOf,
  withShown,
  without,
  type Exchange,
  type Thread
} from '../../src/core/chat';

const AGENT = { kind: 'kernel', name: 'analyst' } as const;
const question = (text: string) => ({ text, attachments: [] });
const texts = (exchanges: readonly Exchange[]): string[] => exchanges.map(({ text }) => text);

/** A thread of three questions, the second of which was asked twice. */
function branched(): Thread {
  let thread = newThread('t', AGENT, 1);
  for (const id of ['a', 'b', 'c']) {
    thread = told(asked(thread, question(id), id, 2), id, { state: 'done' });
  }
  return told(askedAnew(thread, 'b', question('B'), 'B', 3), 'B', { state: 'done' });
}

describe('a thread', () => {
  it('goes on at its end', () => {
    const thread = asked(branched(), question('d'), 'd', 4);
    expect(texts(shownBranch(thread))).toEqual(['a', 'B', 'd']);
  });

  it('keeps what was asked before it was asked otherwise', () => {
    const thread = branched();
    const [, second] = shownBranch(thread);
    expect(texts(versionsOf(thread, second as Exchange))).toEqual(['b', 'B']);
    expect(texts(shownBranch(withShown(thread, 'b')))).toEqual(['a', 'b', 'c']);
    expect(withShown(thread, 'nobody')).toBe(thread);
    expect(askedAnew(thread, 'nobody', question('x'), 'x', 4)).toBe(thread);
  });

  it('can be begun anew', () => {
    const thread = askedAnew(branched(), 'a', question('A'), 'A', 4);
    expect(texts(shownBranch(thread))).toEqual(['A']);
  });

  it('takes no question while its agent works', () => {
    const thread = asked(branched(), question('d'), 'd', 4);
    expect(canAsk(thread)).toBe(false);
    expect(canAsk(told(thread, 'd', { state: 'working' }))).toBe(false);
    expect(canAsk(told(thread, 'd', { state: 'failed' }))).toBe(true);
    expect(canAsk(withShown(thread, 'b'))).toBe(true);
  });

  it('takes what is told of an exchange, and gives up one that was refused', () => {
    const thread = told(branched(), 'B', { run_id: 'r1', fault: 'No key.' });
    expect(shownBranch(thread)[1]).toMatchObject({ state: 'done', run_id: 'r1', fault: 'No key.' });
    expect(texts(shownBranch(without(thread, 'B')))).toEqual(['a', 'b', 'c']);
    expect(shownBranch(without(branched(), 'a'))).toEqual([]);
  });

  it('ends, however its exchanges are named', () => {
    const [one] = branched().exchanges;
    const odd = { ...branched(), exchanges: [one, { ...one, parent: 'a' }] } as Thread;
    expect(shownBranch(odd)).toHaveLength(2);
  });

  it('is called as its first question', () => {
    expect(titleOf(branched())).toBe('a');
    expect(titleOf({ ...branched(), title: 'Delays' })).toBe('Delays');
    const long = asked(newThread('t', AGENT, 1), question(`\n${'x'.repeat(99)}\ny`), 'a', 1);
    expect(titleOf(long)).toBe(`${'x'.repeat(59)}…`);
    expect(titleOf(newThread('t', AGENT, 1))).toBe('');
  });

  it('shows one line of exchanges, whatever is done to it', () => {
    const step = fc.tuple(fc.constantFrom('ask', 'anew', 'show'), fc.nat(9));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), steps => {
        let thread = newThread('t', AGENT, 1);
        steps.forEach(([what, at], number) => {
          const id = `e${number}`;
          const other = thread.exchanges[at % Math.max(1, thread.exchanges.length)]?.id ?? '';
          if (what === 'ask') {
            thread = asked(thread, question(id), id, number);
          } else if (what === 'anew') {
            thread = askedAnew(thread, other, question(id), id, number);
          } else {
            thread = withShown(thread, other);
          }
        });
        const shown = shownBranch(thread);
        expect(shown.map(({ parent }) => parent)).toEqual(
          shown.map((_, index) => shown[index - 1]?.id ?? null)
        );
      })
    );
  });
});
