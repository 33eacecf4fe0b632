/** What can be told of Python source without running it. */

const DEFINED = /^(?:async[ \t]+)?def[ \t]+main[ \t]*\(/gm;
const OPENING = '([{';
const CLOSING = ')]}';
/** Strings and comments, in which brackets and commas mean nothing; escapes are passed over. */
const PASSED = /(?:"""|''')|["']|#[^\n]*/y;
const NAME = /^[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Nd}_]*/u;

/** The arguments of `main` that a wire can feed, in order; none where no `main` is defined. */
export function mainArguments(code: string): string[] {
  const last = [...code.matchAll(DEFINED)].at(-1);
  if (!last) {
    return [];
  }
  const names = parts(code, last.index + last[0].length).map(part => NAME.exec(part)?.[0] ?? '');
  return [...new Set(names)].filter(name => name !== '' && name !== 'ctx');
}

/** What stands between the commas of a bracket that opens before `start`. */
function parts(code: string, start: number): string[] {
  const found: string[] = [];
  let part = '';
  let depth = 0;
  for (let at = start; at < code.length; at += 1) {
    const sign = code[at] as string;
    const end = passedTo(code, at);
    if (end > at) {
      at = end - 1;
    } else if (depth === 0 && (sign === ',' || sign === ')')) {
      found.push(part.trim());
      part = '';
      if (sign === ')') {
        return found;
      }
    } else {
      depth += Number(OPENING.includes(sign)) - Number(CLOSING.includes(sign));
      part += sign;
    }
  }
  return []; // still being written
}

/** Where the string or comment at a place ends; the place itself when there is none. */
function passedTo(code: string, at: number): number {
  PASSED.lastIndex = at;
  const quote = PASSED.exec(code)?.[0];
  if (quote === undefined || quote.startsWith('#')) {
    return at + (quote?.length ?? 0);
  }
  let end = at + quote.length;
  while (end < code.length && !code.startsWith(quote, end)) {
    end += code[end] === '\\' ? 2 : 1;
  }
  return end + quote.length;
}
