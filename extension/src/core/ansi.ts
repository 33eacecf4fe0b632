/** Terminal output as styled text. Colours are kept; every other escape sequence is dropped. */
import { visible } from './text';

export interface Span {
  readonly text: string;
  /** CSS classes: `iai-ansi-red`, `iai-ansi-bold`, ... */
  readonly classes: readonly string[];
}

const COLORS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const WEIGHTS: Readonly<Record<number, string>> = {
  1: 'bold',
  2: 'faint',
  3: 'italic',
  4: 'underline',
  7: 'inverse',
  9: 'strike'
};
const ENDS: Readonly<Record<number, readonly string[]>> = {
  22: ['bold', 'faint'],
  23: ['italic'],
  24: ['underline'],
  27: ['inverse'],
  29: ['strike']
};

const STRINGS =
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c|$)/g;
const CSI = /(?:\u001b\[|\u009b)([0-?]*)([ -/]*)([@-~])/g;
const OTHER = /\u001b(?:[ -/]*[0-~])?/g;

/** The text in spans of one style. Links, titles and cursor movements of a terminal are left out. */
export function ansiSpans(text: string): Span[] {
  const clean = overwrite(text.replace(STRINGS, ''));
  const spans: Span[] = [];
  const style = new Style();
  let at = 0;
  const take = (piece: string): void => {
    const shown = visible(piece.replace(OTHER, ''));
    if (shown) {
      spans.push({ text: shown, classes: style.classes() });
    }
  };
  for (const found of clean.matchAll(CSI)) {
    take(clean.slice(at, found.index));
    at = found.index + found[0].length;
    if (found[3] === 'm' && !found[2]) {
      style.apply(found[1] ?? '');
    }
  }
  take(clean.slice(at));
  return spans;
}

/** The text without any escape sequence. */
export function plainText(text: string): string {
  return ansiSpans(text)
    .map(span => span.text)
    .join('');
}

/** What a carriage return or a backspace leaves of a line. */
function overwrite(text: string): string {
  if (!/[\r\b]/.test(text)) {
    return text;
  }
  return text.replace(/\r+\n/g, '\n').split('\n').map(overwriteLine).join('\n');
}

function overwriteLine(line: string): string {
  const last = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
  const kept: string[] = [];
  for (const sign of last) {
    if (sign === '\b') {
      kept.pop();
    } else {
      kept.push(sign);
    }
  }
  return kept.join('');
}

class Style {
  private readonly weights = new Set<string>();
  private color = '';
  private background = '';

  classes(): string[] {
    return [...this.weights, this.color, this.background]
      .filter(Boolean)
      .map(name => `iai-ansi-${name}`);
  }

  /** Apply the numbers of a "select graphic rendition" sequence. */
  apply(parameters: string): void {
    const codes = parameters.split(/[;:]/).map(Number);
    for (let at = 0; at < codes.length; at += 1) {
      const code = codes[at] ?? 0;
      if (code === 38 || code === 48) {
        const indexed = codes[at + 1] === 5;
        if (indexed) {
          this.paint(code === 38, named(codes[at + 2] ?? 0));
        }
        at += indexed ? 2 : 4;
      } else {
        this.one(code);
      }
    }
  }

  private one(code: number): void {
    const digit = code % 10;
    const tens = Math.floor(code / 10);
    if (code === 0) {
      this.weights.clear();
      this.color = this.background = '';
    } else if (WEIGHTS[code]) {
      this.weights.add(WEIGHTS[code]);
    } else if (ENDS[code]) {
      ENDS[code].forEach(name => this.weights.delete(name));
    } else if (digit === 9 && (tens === 3 || tens === 4)) {
      this.paint(tens === 3, '');
    } else if (digit < 8 && [3, 4, 9, 10].includes(tens)) {
      this.paint(tens === 3 || tens === 9, COLORS[digit] ?? '');
    }
  }

  private paint(front: boolean, color: string): void {
    if (front) {
      this.color = color;
    } else {
      this.background = color && `on-${color}`;
    }
  }
}

/** The first sixteen of 256 colours have names; the others keep the text's own colour. */
function named(index: number): string {
  return index < 16 ? (COLORS[index % 8] ?? '') : '';
}
