/** Text that strangers wrote, made fit to be read: nothing hidden, nothing endless. */

/**
 * Characters that reorder or hide text around them. Written as code points: in a source file they
 * would be as invisible as on the screen.
 */
const HIDDEN = new RegExp(
  '[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u061c\\u200b\\u200e\\u200f' +
    '\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]|[\\ud800-\\udbff](?![\\udc00-\\udfff])|' +
    '(?<![\\ud800-\\udbff])[\\udc00-\\udfff]',
  'g'
);

/** The text with control, direction and zero-width characters spelled as `<U+202E>`. */
export function visible(text: string): string {
  return text.replace(HIDDEN, sign => {
    const code = sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    return `<U+${code}>`;
  });
}

/** The text, or its beginning with an ellipsis. */
export function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, Math.max(0, length - 1))}…` : text;
}

/** A number of bytes or characters: `812 B`, `3.4 MB`. */
export function byteSize(size: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** The text with a replacement for halves of characters, which no address can hold. */
export function wellFormed(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}

const HIGH_HALF = /[\ud800-\udbff]/;
const LOW_HALF = /[\udc00-\udfff]/;

/** The smallest part of a text that another text has in place of it. */
export function replacement(
  before: string,
  after: string
): { readonly start: number; readonly end: number; readonly text: string } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) {
    start += 1;
  }
  let same = 0;
  while (same < shorter - start && before.at(-1 - same) === after.at(-1 - same)) {
    same += 1;
  }
  // a character of two halves is replaced as a whole
  start -= HIGH_HALF.test(before[start - 1] ?? '') ? 1 : 0;
  same -= same > 0 && LOW_HALF.test(before.at(-same) ?? '') ? 1 : 0;
  return { start, end: before.length - same, text: after.slice(start, after.length - same) };
}
