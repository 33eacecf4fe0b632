import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  asked,
  askedAnew,
  before,
  canAsk,
  newThread,
  shownBranch,
  titleOf,
  told,
  versionsOf,
  withShown,
  type Exchange,
  type Thread
} from '../../src/core/chat';
import { Chats, type ChatBackend } from '../../src/core/chats';
import { TRACE } from '../agents';

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
    expect(texts(before(thread, 'd'))).toEqual(['a', 'B']);
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
    expect(before(thread, 'A')).toEqual([]);
  });

  it('takes no question while its agent works', () => {
    const thread = asked(branched(), question('d'), 'd', 4);
    expect(canAsk(thread)).toBe(false);
    expect(canAsk(told(thread, 'd', { state: 'working' }))).toBe(false);
    expect(canAsk(told(thread, 'd', { state: 'failed' }))).toBe(true);
    expect(canAsk(withShown(thread, 'b'))).toBe(true);
  });

  it('hears nothing more of an exchange that has ended', () => {
    const thread = branched();
    expect(told(thread, 'a', { state: 'working', fault: 'Late.' })).toEqual(thread);
    const learned = told(thread, 'a', { state: 'working', run_id: 'r1' });
    expect(learned.exchanges[0]).toMatchObject({ state: 'done', run_id: 'r1' });
    expect(told(learned, 'a', { run_id: 'r2' }).exchanges[0]?.run_id).toBe('r1');
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
        shown.forEach(({ id }, index) => {
          expect(before(thread, id)).toEqual(shown.slice(0, index));
        });
      })
    );
  });
});

describe('the threads of a panel', () => {
  function chats() {
    const ask = vi.fn<ChatBackend['ask']>().mockResolvedValue({ run_id: 'run-1' });
    const stop = vi.fn<ChatBackend['stop']>().mockResolvedValue();
    let number = 0;
    const world = { id: () => `id${(number += 1)}`, now: () => 5 };
    return { ask, stop, made: new Chats({ ask, stop }, world) };
  }

  const last = (made: Chats, id: string): Exchange =>
    shownBranch(made.thread(id) as Thread).at(-1) as Exchange;

  it('ask with what was said before', async () => {
    const { made, ask, stop } = chats();
    const id = made.begin(AGENT);
    expect(made.open.get()).toBe(id);
    const file = { kind: 'file', path: 'flights.csv' } as const;
    expect(await made.ask(id, 'Which month?', [file])).toBe(true);
    const first = last(made, id);
    expect(first).toMatchObject({ state: 'working', run_id: 'run-1', sent_at: 5 });
    expect(await made.ask(id, 'And then?')).toBe(false);
    made.take(id, first.id, JSON.stringify({ ...TRACE, state: 'done' }));
    expect(last(made, id).state).toBe('done');
    await made.ask(id, 'And then?');
    expect(ask.mock.lastCall?.[0]).toEqual({
      agent: AGENT,
      thread: id,
      exchange: last(made, id).id,
      after: [first.id],
      text: 'And then?',
      attachments: []
    });
    await made.stop(id, last(made, id).id);
    expect(stop).toHaveBeenCalledExactlyOnceWith('run-1');
  });

  it('ask once more what was written otherwise, without what followed', async () => {
    const { made, ask } = chats();
    const id = made.begin(AGENT);
    await made.ask(id, 'One?');
    const one = last(made, id).id;
    made.take(id, one, JSON.stringify({ ...TRACE, state: 'stopped' }));
    expect(last(made, id).state).toBe('stopped');
    await made.askAnew(id, one, 'Two?');
    expect(ask.mock.lastCall?.[0]).toMatchObject({ text: 'Two?', after: [] });
    made.show(id, one);
    expect(last(made, id).id).toBe(one);
  });

  it('say why a question did not arrive, and take it again', async () => {
    const { made, ask } = chats();
    const id = made.begin(AGENT);
    ask.mockRejectedValueOnce(new Error('There is no agent analyst.'));
    await made.ask(id, 'Hello?');
    expect(last(made, id)).toMatchObject({ state: 'failed', fault: 'There is no agent analyst.' });
    expect(await made.ask(id, 'Hello?')).toBe(true);
  });

  it('take only what is a trace, and the reason of a failure with it', async () => {
    const { made } = chats();
    const id = made.begin(AGENT);
    await made.ask(id, 'Hello?');
    const { id: exchange } = last(made, id);
    made.take(id, exchange, 'no trace');
    expect(last(made, id).trace).toBe('');
    made.take(id, exchange, JSON.stringify({ ...TRACE, state: 'failed', reason: 'No key.' }));
    expect(last(made, id)).toMatchObject({ state: 'failed', fault: 'No key.' });
  });

  it('are renamed and removed', async () => {
    const { made } = chats();
    const id = made.begin(AGENT);
    made.rename(id, ' Delays ');
    expect(made.thread(id)?.title).toBe('Delays');
    expect(await made.ask(id, '  ')).toBe(false);
    made.remove(id);
    expect(made.threads.get()).toEqual([]);
    expect(made.open.get()).toBe('');
    expect(await made.ask(id, 'Still there?')).toBe(false);
  });
});
