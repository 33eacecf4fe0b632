import { describe, expect, it } from 'vitest';
import { duration } from '../../src/core/format';

describe('duration', () => {
  it.each([
    [0, '0 ms'],
    [-1, '0 ms'],
    [0.084, '84 ms'],
    [0.9994, '999 ms'],
    [0.9996, '1.0 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.96, '1 min 00 s'],
    [125, '2 min 05 s'],
    [3720, '1 h 02 min']
  ])('%d s is %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});
