import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mainArguments } from '../../src/core/python';

describe('the arguments of main', () => {
  it.each<[string, string[]]>([
    ['def main():\n    return 1\n', []],
    ['def main(a, b: int = 2):\n    return a + b\n', ['a', 'b']],
    ['async def main(a, /, b, *, c) -> dict[str, int]:\n    pass\n', ['a', 'b', 'c']],
    ['def main(*rest, **named): ...', []],
    ['def main(a: dict[str, int] = {"x": (1, 2)}, b=")", c=f(1, 2)): ...', ['a', 'b', 'c']],
    ['def main(\n    a,  # first, of two\n    """no""" ,\n    b = \'\\\'),\',\n): ...', ['a', 'b']],
    ['def main(ctx, größe, größe): ...', ['größe']],
    ['def helper(x):\n    def main(y): ...\n', []],
    ['def main(a): ...\n\ndef main(b): ...\n', ['b']],
    ['def main(a, b', []],
    ['x = 1', []]
  ])('%j', (code, names) => {
    expect(mainArguments(code)).toEqual(names);
  });

  it('reads whatever is typed', () => {
    const signs = fc.constantFrom(...'"\'#([{)]},=*\\\n a'.split(''));
    fc.assert(
      fc.property(fc.array(signs), rest => {
        expect(Array.isArray(mainArguments(`def main(${rest.join('')}`))).toBe(true);
      })
    );
  });
});
