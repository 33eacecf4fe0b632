import { describe, expect, it } from 'vitest';
import { Echoes } from '../../src/core/echoes';

function typed(...texts: string[]): Echoes {
  const echoes = new Echoes();
  texts.forEach(text => echoes.tell(text));
  return echoes;
}

describe('texts that come back to an editor', () => {
  it('are old while newer ones are on their way, however often they come', () => {
    const echoes = typed('a', 'ab');
    expect(['a', 'a', 'ab', 'ab'].map(text => echoes.isOld(text))).toEqual([
      true,
      true,
      false,
      false
    ]);
  });

  it('are old when one came back before newer ones were typed', () => {
    const echoes = typed('a');
    echoes.isOld('a');
    echoes.tell('ab');
    expect(['a', 'ab'].map(text => echoes.isOld(text))).toEqual([true, false]);
  });

  it('are taken when somebody else wrote them', () => {
    const echoes = typed('a', 'ab');
    expect(['x', 'ab', 'a'].map(text => echoes.isOld(text))).toEqual([false, false, false]);
  });

  it('are taken when a field is emptied before the last came back', () => {
    expect(typed('a', 'ab').isOld('')).toBe(false);
  });

  it('are taken when they are undone', () => {
    const echoes = typed('a', 'ab');
    expect(['ab', 'a', ''].map(text => echoes.isOld(text))).toEqual([false, false, false]);
  });

  it('are known as the newest when a text was typed twice', () => {
    const echoes = typed('a', 'ab', 'a');
    expect(['a', 'ab'].map(text => echoes.isOld(text))).toEqual([false, false]);
  });
});
