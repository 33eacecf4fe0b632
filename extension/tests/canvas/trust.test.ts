import { describe, expect, it } from 'vitest';
import { madeNow } from '../../src/canvas/outputs/trust';
import type { Hello } from '../../src/core/link';
import { IDLE } from '../../src/core/protocol';

const HELLO = { trusted: true } as Hello;

describe('outputs that may be interactive', () => {
  it.each([
    ['executed', 1],
    ['', 1], // shown while it runs
    ['cache', 0]
  ])('are those that this kernel made: %j at attempt %i', (source, attempt) => {
    expect(madeNow(HELLO, { ...IDLE, source, attempt })).toBe(true);
  });

  it.each([
    ['pin', 0],
    ['replay', 0],
    ['earlier', 0],
    ['', 0],
    ['constructor', 1]
  ])('are no others: %j at attempt %i', (source, attempt) => {
    expect(madeNow(HELLO, { ...IDLE, source, attempt })).toBe(false);
  });

  it('are none of a kernel that has run what nobody trusts, or that said nothing', () => {
    const state = { ...IDLE, source: 'executed', attempt: 1 };
    expect(madeNow({ ...HELLO, trusted: false }, state)).toBe(false);
    expect(madeNow(null, state)).toBe(false);
  });
});
