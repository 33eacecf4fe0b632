/**
 * Texts with data in them, `Summarise {{document}} about {{params.topic}}`, read as the engine reads
 * them: what stands between the braces is a path; `\{{` is a plain `{{`.
 */
import { PARAMS } from './flow';

/** One `{{...}}` of a template. */
export interface TemplatePath {
  /** A port's name, or `params`. */
  readonly root: string;
  /** The parameter's name; "" when `root` is a port. */
  readonly parameter: string;
  /** Where it starts and ends in the text, braces included. */
  readonly start: number;
  readonly end: number;
  /** What follows the root, or the parameter: `.field[0]`. */
  readonly rest: string;
}

const OPEN = /\\\{\{|\{\{/g;
const WORD = '[\\p{L}\\p{Nl}\\p{No}_][\\p{L}\\p{N}_]*';
const FIELD = '[\\p{L}\\p{Nl}\\p{No}_][\\p{L}\\p{N}_-]*';
const SEGMENT = `\\.(?:${FIELD})|\\[(?:-?\\p{Nd}{1,9}|"[^"\\]]*"|'[^'\\]]*')\\]`;
const PATH = new RegExp(`^\\s*(${WORD})((?:${SEGMENT})*)\\s*$`, 'u');
const FIRST_KEY = new RegExp(`^(?:\\.(${FIELD})|\\[(?:"([^"\\]]*)"|'([^'\\]]*)')\\])(.*)$`, 'us');

/** The paths of a template in order; null when it cannot be read. */
export function templatePaths(text: string): readonly TemplatePath[] | null {
  const found: TemplatePath[] = [];
  let position = 0;
  for (const opening of text.matchAll(OPEN)) {
    if (opening.index < position) {
      continue;
    }
    position = opening.index + opening[0].length;
    if (opening[0] !== '{{') {
      continue;
    }
    const close = text.indexOf('}}', position);
    const path = close < 0 ? null : readPath(text.slice(position, close));
    if (!path) {
      return null;
    }
    found.push({ ...path, start: opening.index, end: close + 2 });
    position = close + 2;
  }
  return found;
}

function readPath(inner: string): Pick<TemplatePath, 'root' | 'parameter' | 'rest'> | null {
  const match = PATH.exec(inner);
  if (!match) {
    return null;
  }
  const [, root = '', rest = ''] = match;
  if (root !== PARAMS) {
    return { root, parameter: '', rest };
  }
  const key = FIRST_KEY.exec(rest);
  return key && { root, parameter: key[1] ?? key[2] ?? key[3] ?? '', rest: key[4] ?? '' };
}

/** The input ports that a template takes values from, each once. */
export function templateNames(text: string): string[] {
  const paths = templatePaths(text) ?? [];
  return [...new Set(paths.filter(path => path.root !== PARAMS).map(path => path.root))];
}

/** Write other text in the place of paths; `undefined` leaves one as it is. */
export function replacePaths(
  text: string,
  replacement: (path: TemplatePath) => string | undefined
): string {
  let result = '';
  let position = 0;
  for (const path of templatePaths(text) ?? []) {
    const written = text.slice(path.start, path.end);
    result += text.slice(position, path.start) + (replacement(path) ?? written);
    position = path.end;
  }
  return result + text.slice(position);
}
