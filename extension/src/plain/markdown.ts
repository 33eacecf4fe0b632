/** Markdown as elements of this page. HTML in it is shown as text, so nothing of it can act. */
import { Lexer, type Token, type Tokens } from 'marked';
import { visible } from '../core/text';
import { linkAddress, pictureAddress } from './html';

/** What may be too wide, and is scrolled by keys then. */
const SCROLLS = { tabindex: '0' };
/** Longest text that is read as Markdown; a longer one is shown as it is. */
const LONGEST = 200_000;
/** Deepest nesting of lists and quotes that is drawn. */
const DEEPEST = 40;

/** A block of a text: its source, and the elements that show it. */
interface Block {
  readonly raw: string;
  readonly parts: readonly (Node | string)[];
}

/** The beginning of what an element shows that nothing after it changes, and how many nodes show it. */
interface Settled {
  readonly text: string;
  readonly count: number;
}

const NOTHING: Settled = { text: '', count: 0 };
const SETTLED = new WeakMap<HTMLElement, Settled>();
/** Tokens at the end that what follows may change: two blocks, and the space after each. */
const OPEN = 4;
/** A line that may say where links lead that stand anywhere. */
const REFERENCE = /^ {0,3}\[[^\]\n]+\]:/m;

/**
 * Show Markdown in an element, in place of what is in it. Parts that stay the same stay the same
 * elements: in a text that grows, what is selected or has the focus is left alone, and only its end
 * is read again.
 */
export function showMarkdown(element: HTMLElement, text: string): void {
  const source = text.replace(/\r\n?/g, '\n');
  const known = SETTLED.get(element) ?? NOTHING;
  const isRead = source.length <= LONGEST;
  const grows = isRead && source.startsWith(known.text) && !REFERENCE.test(source);
  const start = grows ? known : NOTHING;
  const blocks = isRead ? blocksOf(source.slice(start.text.length)) : [asItIs(source)];
  replace(
    [...element.childNodes].slice(start.count),
    blocks.flatMap(({ parts }) => parts),
    element
  );
  SETTLED.set(element, blocks.slice(0, -OPEN).reduce(withBlock, start));
}

function withBlock({ text, count }: Settled, { raw, parts }: Block): Settled {
  return { text: text + raw, count: count + parts.length };
}

/**
 * Put parts in the place of the last children of an element; those that look alike stay, and those
 * that differ in what is within them, too.
 */
function replace(
  old: readonly ChildNode[],
  parts: readonly (Node | string)[],
  element: Element
): void {
  const next = parts.map(part => (typeof part === 'string' ? new Text(part) : part));
  next.forEach((part, at) => {
    const present = old[at];
    if (!present) {
      element.append(part);
    } else if (present.isEqualNode(part)) {
      return;
    } else if (present instanceof Element && isSameOutside(present, part)) {
      replace([...present.childNodes], [...part.childNodes], present);
    } else {
      present.replaceWith(part);
    }
  });
  old.slice(next.length).forEach(rest => rest.remove());
}

/** Whether two elements differ in nothing but what is within them. */
function isSameOutside(element: Element, other: Node): boolean {
  return element.cloneNode().isEqualNode(other.cloneNode());
}

function blocksOf(text: string): Block[] {
  try {
    const tokens = new Lexer({ gfm: true }).lex(text);
    return tokens.map(token => ({ raw: token.raw, parts: one(token, 0) }));
  } catch {
    return [asItIs(text)];
  }
}

function asItIs(text: string): Block {
  return { raw: text, parts: [node('pre', {}, [visible(text)])] };
}

function all(tokens: readonly Token[] | undefined, depth: number): (Node | string)[] {
  return (tokens ?? []).flatMap(token => one(token, depth));
}

/** The elements of one token; what is not known is shown as its source. */
function one(token: Token, depth: number): (Node | string)[] {
  if (depth > DEEPEST) {
    return [visible(token.raw)];
  }
  const inside = (): (Node | string)[] => all('tokens' in token ? token.tokens : [], depth + 1);
  switch (token.type) {
    case 'space':
    case 'def':
      return [];
    case 'heading':
      return [node(`h${(token as Tokens.Heading).depth}`, {}, inside())];
    case 'paragraph':
      return [node('p', {}, inside())];
    case 'blockquote':
    case 'strong':
    case 'em':
    case 'del':
      return [node(token.type, {}, inside())];
    case 'code':
      return [node('pre', SCROLLS, [node('code', {}, [visible((token as Tokens.Code).text)])])];
    case 'codespan':
      return [node('code', {}, [visible((token as Tokens.Codespan).text)])];
    case 'hr':
    case 'br':
      return [node(token.type, {}, [])];
    case 'list':
      return [list(token as Tokens.List, depth)];
    case 'table':
      return [table(token as Tokens.Table, depth)];
    case 'link':
      return [link(token as Tokens.Link, inside())];
    case 'image':
      return [picture(token as Tokens.Image)];
    case 'escape':
    case 'text':
      return 'tokens' in token && token.tokens ? inside() : [visible(decoded(token))];
    default:
      return [visible(token.raw)];
  }
}

/** Inline text as it was typed: `marked` escapes what HTML would need. */
function decoded(token: Token): string {
  return token.type === 'escape' ? (token as Tokens.Escape).text : token.raw;
}

function list(token: Tokens.List, depth: number): HTMLElement {
  const items = token.items.map(item => {
    const content = all(item.tokens, depth + 1);
    return node('li', {}, item.task ? [item.checked ? '☑ ' : '☐ ', ...content] : content);
  });
  return token.ordered
    ? node('ol', { start: String(token.start || 1) }, items)
    : node('ul', {}, items);
}

function table(token: Tokens.Table, depth: number): HTMLElement {
  const row = (name: string, cells: readonly Tokens.TableCell[]): HTMLElement =>
    node(
      'tr',
      {},
      cells.map(cell => node(name, {}, all(cell.tokens, depth + 1)))
    );
  const head = node('thead', {}, [row('th', token.header)]);
  return node('table', SCROLLS, [
    head,
    node(
      'tbody',
      {},
      token.rows.map(cells => row('td', cells))
    )
  ]);
}

function link(token: Tokens.Link, content: (Node | string)[]): HTMLElement {
  const href = linkAddress(token.href);
  return href === null
    ? node('span', {}, content)
    : node('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, content);
}

/** Only pictures that the text itself holds; others would tell their server who reads. */
function picture(token: Tokens.Image): HTMLElement {
  const src = pictureAddress(token.href);
  return src === null
    ? node('span', { title: token.href }, [visible(token.text || token.href)])
    : node('img', { src, alt: token.text }, []);
}

function node(
  name: string,
  attributes: Readonly<Record<string, string>>,
  content: readonly (Node | string)[]
): HTMLElement {
  const element = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  element.append(...content);
  return element;
}
