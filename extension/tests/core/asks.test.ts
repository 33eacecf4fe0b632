import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, answerOf, askOf, readArguments, waitsOf, type Ask } from '../../src/core/asks';
import { translator } from '../../src/core/i18n';
import { IDLE } from '../../src/core/protocol';
import { ASK, askWait } from '../agents';
import vectors from '../vectors/agents.json';

const trans = translator('en');
const ask = (): Ask => askOf(askWait()) ?? expect.unreachable('it asks');

describe('a question of an agent', () => {
  it('says what is to be called', () => {
    expect(ask()).toEqual({
      step: 'analyst',
      key: 'ask:c1',
      tool: 'mail.send',
      source: 'the notebook',
      effects: 'write',
      sends: true,
      why: 'It sends.',
      arguments: { to: 'anna@example.org', text: 'Hi' }
    });
  });

  it('is what the Python side asks', () => {
    const form = vectors.ask.form as unknown as typeof ASK;
    expect(askOf(askWait({ form }))).toEqual({ ...ask(), arguments: { to: 'anna@example.org' } });
  });

  it('is told from other waits', () => {
    expect(askOf(askWait({ kind: 'signal' }))).toBeNull();
    expect(askOf(askWait({ form: null }))).toBeNull();
    expect(askOf(askWait({ form: { type: 'object', properties: {} } }))).toBeNull();
  });

  it('is read however odd its form is', () => {
    const form = fc.dictionary(fc.constantFrom('x-call', 'properties'), fc.jsonValue());
    fc.assert(
      fc.property(form, odd => {
        askOf(askWait({ form: { ...ASK, ...odd } as typeof ASK }));
      })
    );
  });

  it('is one of several that a node may have', () => {
    const other = askWait({ key: 'c0/ask:c9' });
    const state = { ...IDLE, wait: askWait(), more_waits: [other] };
    expect(waitsOf(state).map(addressOf)).toEqual(['analyst#ask:c1', 'analyst#c0/ask:c9']);
    expect(waitsOf({ ...state, wait: null })).toEqual([]);
    expect(addressOf({ step: 'each[2]/analyst', key: '' })).toBe('each[2]/analyst');
  });
});

describe('the answer', () => {
  it('allows, changes and refuses', () => {
    const step = 'analyst#ask:c1';
    expect(answerOf(ask(), { decision: 'allow' })).toEqual({
      step,
      outcome: 'approved',
      value: { decision: 'allow' },
      reason: ''
    });
    expect(answerOf(ask(), { decision: 'change', arguments: { to: 'b' } })).toMatchObject({
      outcome: 'approved',
      value: { decision: 'change', arguments: { to: 'b' } }
    });
    expect(answerOf(ask(), { decision: 'refuse', reason: ' Not now. ' })).toEqual({
      step,
      outcome: 'refused',
      value: null,
      reason: 'Not now.'
    });
  });
});

describe('arguments that a person wrote', () => {
  it('are a JSON object', () => {
    expect(readArguments(trans, ' {"a": [1.50, null]} ')).toEqual({ value: { a: [1.5, null] } });
  });

  it.each([
    ['{"a": }', 'This is not JSON: '],
    ['{"a": 1, "a": 2}', 'This is not JSON: '],
    ['[1]', 'Arguments are a JSON object'],
    ['null', 'Arguments are a JSON object'],
    ['{"id": 12345678901234567}', 'too large to be sent'],
    ['{"deep": [{"id": -12345678901234567}]}', 'too large to be sent']
  ])('are refused otherwise: %s', (written, fault) => {
    const read = readArguments(trans, written);
    expect('fault' in read && read.fault).toContain(fault);
  });
});
