import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cacheShare,
  callsOf,
  costText,
  gauges,
  inShort,
  kept,
  lastWords,
  readTrace,
  shareText,
  shownPorts,
  sumOf,
  tokenText,
  tracePort,
  traceReader,
  type AgentTrace
} from '../../src/core/agentTrace';
import type { Preview } from '../../src/core/protocol';
import { TRACE } from '../agents';
import vectors from '../vectors/agents.json';

const text = (change: object = {}): string => JSON.stringify({ ...TRACE, ...change });

function read(change: object = {}): AgentTrace {
  return readTrace(text(change)) ?? expect.unreachable('it is a trace');
}

const json = (value: string): Preview => ({ kind: 'json', type: 'json', text: value, cut: false });

describe('a trace', () => {
  it('is read', () => {
    const trace = read();
    expect(trace.state).toBe('calling');
    expect(trace.turns.map(turn => turn.n)).toEqual([1, 2]);
    expect(trace.turns[0]?.tokens).toEqual({
      input: 1000,
      output: 50,
      cache_read: 600,
      cache_write: 300
    });
    expect(callsOf(trace).map(call => [call.name, call.state])).toEqual([
      ['sql', 'done'],
      ['ask_expert', 'running']
    ]);
    expect(callsOf(trace)[1]?.trace?.agent).toBe('expert');
    expect(lastWords(trace)).toEqual({ text: 'Let me ask.', isThought: false });
  });

  it('is nothing else', () => {
    for (const other of ['', 'null', '[]', '{}', '{"kind":"agent-trace/2"}', 'agent-trace/1']) {
      expect(readTrace(other)).toBeNull();
    }
    expect(readTrace('{"in":{"kind":"agent-trace/1"}}')).toBeNull();
    expect(readTrace('{"kind":"agent-trace/1",')).toBeNull();
  });

  it('is read however odd it is', () => {
    const odd = fc.dictionary(
      fc.constantFrom(...Object.keys(TRACE), 'omitted', 'is_cut'),
      fc.jsonValue()
    );
    fc.assert(
      fc.property(odd, change => {
        const trace = readTrace(JSON.stringify({ ...TRACE, ...change, kind: 'agent-trace/1' }));
        expect(trace).not.toBeNull();
        expect(gauges(trace as AgentTrace).every(({ share }) => share >= 0 && share <= 1)).toBe(
          true
        );
        lastWords(trace as AgentTrace);
      })
    );
  });

  it('is read however odd a turn and a call are', () => {
    const call = fc.dictionary(fc.constantFrom('id', 'name', 'arguments', 'trace'), fc.jsonValue());
    const turn = fc.record({ calls: fc.array(call), usage: fc.jsonValue(), n: fc.jsonValue() });
    fc.assert(
      fc.property(fc.array(turn), turns => {
        const trace = read({ turns });
        expect(trace.turns).toHaveLength(turns.length);
        callsOf(trace).forEach(one => inShort(one.arguments, 20));
      })
    );
  });

  it('is none when it is nested without an end', () => {
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    expect(
      readTrace(`{"kind":"agent-trace/1","turns":[{"calls":[{"arguments":{"a":${deep}}}]}]}`)
    ).toBeNull();
  });

  it('has unknown states as interrupted', () => {
    expect(read({ state: 'dreaming' }).state).toBe('interrupted');
  });
});

describe('what the Python side sends', () => {
  it('is read while the agent works', () => {
    const trace = readTrace(vectors.live.text) as AgentTrace;
    expect(tracePort({ trace: vectors.live as Preview })).toBe('trace');
    expect(trace).toMatchObject({ agent: 'analyst', state: 'calling', is_scripted: false });
    expect(trace.turns[0]).toMatchObject({ thinking: 'Which table?', cost: 0.0125, seconds: 2.5 });
    expect(trace.turns[0]?.tokens).toEqual({
      input: 1000,
      output: 50,
      cache_read: 600,
      cache_write: 300
    });
    expect(callsOf(trace)).toMatchObject([
      { id: 'c1', name: 'sql', state: 'done', result: '[{"1": 1}]', seconds: 0.25 },
      { id: 'c2', state: 'running', trace: { agent: 'expert', is_scripted: true } }
    ]);
    expect(trace.plan).toEqual([
      { text: 'Look', done: true },
      { text: 'Answer', done: false }
    ]);
  });

  it('is read once it has ended', () => {
    const trace = readTrace(vectors.stored.text) as AgentTrace;
    expect(tracePort({ trace: vectors.stored as Preview })).toBe('trace');
    expect(trace).toMatchObject({ state: 'stopped', reason: 'The limit of $0.50 is reached.' });
    expect(trace.totals).toMatchObject({ steps: 2, input: 2000, cost: 0.025, seconds: 5 });
    expect(sumOf(trace.turns)).toMatchObject({ steps: 2, input: 2000, cost: 0.025, seconds: 5 });
    expect(gauges(trace).map(({ name }) => name)).toEqual(['steps', 'cost']);
    expect(lastWords(trace).text).toBe('One.');
  });
});

describe('the totals', () => {
  it('are those of the turns where a short form left them out', () => {
    const { totals } = read({ totals: undefined });
    expect(totals).toMatchObject({ steps: 1, input: 1000, output: 50, cache_read: 600 });
    expect(totals.cost).toBeCloseTo(0.0123);
  });

  it('have no cost when no price is known', () => {
    const turns = TRACE.turns.map(turn => ({ ...turn, cost: null }));
    expect(read({ turns, totals: { ...TRACE.totals, cost: 0 } }).totals.cost).toBeNull();
    expect(read({ turns: [], totals: { ...TRACE.totals, cost: 0 } }).totals.cost).toBe(0);
    // Its turns have prices, and those of an agent that it asked have none.
    expect(read({ totals: { ...TRACE.totals, cost: null } }).totals.cost).toBeNull();
  });

  it('have a currency that can be spelled', () => {
    expect(read({ totals: { ...TRACE.totals, currency: '<b>' } }).totals.currency).toBe('USD');
  });

  it('are measured against the limits that there are', () => {
    expect(gauges(read()).map(({ name, used, limit }) => [name, used, limit])).toEqual([
      ['steps', 1, 20],
      ['cost', 0.0123, 0.5]
    ]);
    const over = gauges(read({ limits: { tokens: 10 } }));
    expect(over).toEqual([{ name: 'tokens', used: 1050, limit: 10, share: 1 }]);
  });

  it('tell how much came from the cache', () => {
    expect(cacheShare(read().totals)).toBe(0.6);
    expect(cacheShare({ input: 0, output: 0, cache_read: 5, cache_write: 0 })).toBe(0);
  });
});

describe('an agent that goes on', () => {
  it('keeps what did not change', () => {
    const next = traceReader();
    const first = next(text(), true);
    const [one, two] = TRACE.turns;
    const second = next(text({ turns: [one, { ...two, text: 'Let me ask. Now.' }] }), true);
    expect(second?.turns[0]).toBe(first?.turns[0]);
    expect(second?.turns[1]).not.toBe(first?.turns[1]);
    expect(second?.turns[1]?.calls).toBe(first?.turns[1]?.calls);
    expect(next(text(), true)).toEqual(first);
    expect(next('no trace', true)).toBeNull();
  });

  it('is interrupted when its run has ended before it', () => {
    const trace = traceReader()(text(), false);
    expect(trace?.state).toBe('interrupted');
    expect(callsOf(trace as AgentTrace).map(call => call.state)).toEqual(['done', 'interrupted']);
    expect(callsOf(trace as AgentTrace)[1]?.trace?.state).toBe('interrupted');
    expect(traceReader()(text({ state: 'done' }), false)?.state).toBe('done');
  });

  it('shows its thoughts until it says something', () => {
    const turns = [
      { n: 1, text: 'Old.' },
      { n: 2, text: '', thinking: 'Hm.' }
    ];
    expect(lastWords(read({ turns }))).toEqual({ text: 'Hm.', isThought: true });
    expect(lastWords(read({ turns: [{ n: 1, text: 'Old.' }, { n: 2 }] })).text).toBe('Old.');
  });
});

describe('what is kept', () => {
  it('always equals the new value, and is the old one when they are equal', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (before, now) => {
        expect(JSON.stringify(kept(before, now))).toBe(JSON.stringify(now));
        const same: unknown = JSON.parse(JSON.stringify(before));
        expect(kept(before, same)).toBe(typeof before === 'object' && before ? before : same);
      })
    );
  });
});

describe('the outputs of an agent', () => {
  const outputs = {
    text: json('"hi"'),
    messages: json('[]'),
    trace: json(text()),
    table: json('{"a":1}'),
    usage: json('{}')
  };

  it('are told by its trace, but for those of other nodes', () => {
    expect(tracePort(outputs)).toBe('trace');
    expect(shownPorts(outputs)).toEqual(['trace', 'table']);
  });

  it('say how far it came when it failed', () => {
    expect(shownPorts(outputs, true)).toEqual(['trace']);
    expect(shownPorts({ text: outputs.text }, true)).toEqual([]);
  });

  it('of other nodes are all shown', () => {
    const { text: said, messages } = outputs;
    expect(shownPorts({ text: said, messages })).toEqual(['text', 'messages']);
    expect(tracePort({ quoted: json(JSON.stringify({ of: TRACE })) })).toBeNull();
  });
});

describe('amounts', () => {
  it.each([
    [0, '0'],
    [812, '812'],
    [9_999, '9,999'],
    [12_345, '12.3K'],
    [2_500_000, '2.5M']
  ])('of %s tokens are short', (count, said) => {
    expect(tokenText(count, 'en')).toBe(said);
  });

  it.each([
    [0, '$0.00'],
    [0.00001, '< $0.0001'],
    [0.0123, '$0.0123'],
    [1.5, '$1.50']
  ])('of %s dollars are exact where they are small', (cost, said) => {
    expect(costText(cost, 'USD', 'en')).toBe(said);
  });

  it('are spelled as the reader does', () => {
    expect(tokenText(9_999, 'vi')).toBe('9.999');
    expect(shareText(0.375, 'en')).toBe('38%');
  });
});

describe('arguments in short', () => {
  it('stand in one line', () => {
    expect(inShort({ query: 'select 1\n  from t', limit: 5, deep: { a: [1] } }, 80)).toBe(
      'query: select 1 from t, limit: 5, deep: {"a":[1]}'
    );
    expect(inShort({ text: 'x'.repeat(1_000_000) }, 12)).toBe('text: xxxxx…');
    expect(inShort({}, 10)).toBe('');
  });
});
