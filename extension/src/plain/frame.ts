/**
 * HTML in a page of its own that can neither reach this one nor the network. It stands in two nested
 * frames: the outer's policy forbids the inner to go anywhere else, which no sandbox flag can.
 */
import type { Mounted } from '../core/services';
import { strippedHtml } from './html';

export interface FrameProps {
  readonly html: string;
  /** Whether its own scripts may run. */
  readonly interactive: boolean;
  /** For screen readers. */
  readonly label: string;
}

const LOWEST = 24;
const HIGHEST = 4000;

/** Show HTML in an element; it grows with its content. */
export function mountFrame(element: HTMLElement, props: FrameProps): Mounted<FrameProps> {
  const frame = document.createElement('iframe');
  frame.className = 'iai-frame';
  frame.referrerPolicy = 'no-referrer';
  const resize = ({ source, data }: MessageEvent): void => {
    const height = (data as { iaiflowHeight?: unknown } | null)?.iaiflowHeight;
    if (source !== null && source === innermost(frame) && typeof height === 'number') {
      frame.style.height = `${Math.min(HIGHEST, Math.max(LOWEST, Math.ceil(height)))}px`;
    }
  };
  const show = ({ html, interactive, label }: FrameProps): void => {
    frame.title = label;
    frame.setAttribute('sandbox', sandboxOf(interactive));
    frame.srcdoc = framePage(html, interactive, themeOf(element));
  };
  window.addEventListener('message', resize);
  element.append(frame);
  show(props);
  return {
    update: show,
    dispose: () => {
      window.removeEventListener('message', resize);
      frame.remove();
    }
  };
}

/** Links of a page without scripts open in a tab of their own; scripts may open nothing. */
function sandboxOf(interactive: boolean): string {
  return interactive
    ? 'allow-scripts'
    : 'allow-scripts allow-popups allow-popups-to-escape-sandbox';
}

/** The page of the outer frame. */
export function framePage(html: string, interactive: boolean, theme: string): string {
  const nonce = crypto.getRandomValues(new Uint32Array(4)).join('');
  const head =
    policy(interactive ? "'unsafe-inline'" : `'nonce-${nonce}'`) +
    '<meta charset="utf-8"><meta name="referrer" content="no-referrer">' +
    '<meta http-equiv="x-dns-prefetch-control" content="off">';
  const inner =
    `<!doctype html><html><head>${head}<style>${theme}</style>` +
    `<script nonce="${nonce}">${MEASURE}</script></head>` +
    `<body>${interactive ? html : strippedHtml(html)}</body></html>`;
  return (
    `<!doctype html><html><head>${head}<style>${OUTER}</style></head><body>` +
    `<iframe sandbox="${sandboxOf(interactive)}" srcdoc="${escaped(inner)}"></iframe></body></html>`
  );
}

const OUTER =
  'html,body,iframe{display:block;margin:0;border:0;width:100%;height:100%;overflow:hidden}';
const MEASURE =
  'new ResizeObserver(()=>parent.parent.postMessage({iaiflowHeight:' +
  "document.documentElement.offsetHeight},'*')).observe(document.documentElement)";

function policy(scripts: string): string {
  const rules = [
    "default-src 'none'",
    `script-src ${scripts}`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    "frame-src 'none'",
    "form-action 'none'",
    "base-uri 'none'"
  ];
  return `<meta http-equiv="Content-Security-Policy" content="${rules.join('; ')}">`;
}

/** Colours and type of the place where the page stands. */
function themeOf(element: HTMLElement): string {
  const { color, fontFamily, fontSize, colorScheme } = getComputedStyle(element);
  const family = fontFamily.replace(/[<>{};\\]/g, '');
  return (
    `html{color-scheme:${colorScheme};color:${color};font:${fontSize} ${family}}` +
    'body{margin:0;overflow-wrap:anywhere}img{max-width:100%}' +
    'table{border-collapse:collapse}th,td{padding:2px 8px;text-align:right}'
  );
}

/** Asking a page of another origin for a frame that it does not have yet is an error. */
function innermost({ contentWindow }: HTMLIFrameElement): Window | null {
  return contentWindow && contentWindow.length > 0 ? (contentWindow[0] ?? null) : null;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
}
