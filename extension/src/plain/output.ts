/** MIME bundles for hosts without renderers of their own. */
import type { Json } from '../core/flow';
import type { Trans } from '../core/i18n';
import { plainText } from '../core/ansi';
import type { Mounted, OutputProps } from '../core/services';
import { byteSize, wellFormed } from '../core/text';
import { mountFrame } from './frame';
import { showMarkdown } from './markdown';

/** From the richest to the plainest. */
const ORDER = [
  'text/html',
  'text/markdown',
  'image/svg+xml',
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'text/latex',
  'application/json',
  'text/plain'
];
/** Longest text that is shown. */
const LONGEST = 1_000_000;

/** Show the richest form of a bundle that this page knows. */
export function mountOutput(
  element: HTMLElement,
  props: OutputProps,
  trans: Trans
): Mounted<OutputProps> {
  let end = show(element, props, trans);
  return {
    update: next => {
      end();
      end = show(element, next, trans);
    },
    dispose: () => end()
  };
}

function show(element: HTMLElement, { bundle, trusted }: OutputProps, trans: Trans): () => void {
  const type = ORDER.find(name => name in bundle.data);
  const text = type === undefined ? '' : textOf(bundle.data[type]);
  const clear = (): void => element.replaceChildren();
  if (type === undefined) {
    const types = Object.keys(bundle.data).join(', ');
    return add(element, block('p', trans('This page cannot show {types}.', { types })));
  }
  if (text.length > LONGEST && !type.startsWith('image/')) {
    const size = byteSize(text.length);
    return add(element, block('p', trans('Too big to show here ({size})', { size })));
  }
  if (type === 'text/html') {
    const label = trans('HTML output');
    return mountFrame(element, { html: text, interactive: trusted, label }).dispose;
  }
  if (type === 'text/markdown') {
    const holder = block('div', '');
    holder.className = 'iai-markdown';
    showMarkdown(holder, text);
    return add(element, holder);
  }
  if (type.startsWith('image/')) {
    return add(element, picture(type, text, trans('Picture')));
  }
  clear();
  return add(element, block('pre', type === 'text/plain' ? plainText(text) : text));
}

function add(element: HTMLElement, shown: HTMLElement): () => void {
  element.append(shown);
  return () => shown.remove();
}

function block(name: string, text: string): HTMLElement {
  const element = document.createElement(name);
  element.textContent = text;
  if (name === 'pre') {
    element.className = 'iai-log';
  }
  return element;
}

/** An image from data: as an image an SVG runs nothing and loads nothing. */
function picture(type: string, data: string, label: string): HTMLImageElement {
  const image = document.createElement('img');
  image.className = 'iai-image';
  image.alt = label;
  image.src =
    type === 'image/svg+xml'
      ? `data:image/svg+xml;charset=utf-8,${encodeURIComponent(wellFormed(data))}`
      : `data:${type};base64,${data.replace(/[^A-Za-z0-9+/=]/g, '')}`;
  return image;
}

/** Text as Jupyter writes it: one string or its lines; anything else as JSON. */
function textOf(value: Json | undefined): string {
  if (typeof value === 'string') {
    return value;
  }
  if (Array.isArray(value) && value.every(line => typeof line === 'string')) {
    return value.join('');
  }
  return JSON.stringify(value, null, 2);
}
