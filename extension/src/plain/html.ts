/** Somebody's HTML, parsed without running and stripped to what only shows. */

const DROPPED =
  'script, link, meta, base, iframe, frame, frameset, object, embed, applet, portal, ' +
  'form, template, noscript, dialog, svg, math, audio, video, source, track, canvas, input, select, ' +
  'textarea, button, area, map';

const KEPT_ATTRIBUTES = new Set([
  'abbr',
  'align',
  'alt',
  'border',
  'cellpadding',
  'cellspacing',
  'cite',
  'class',
  'colspan',
  'datetime',
  'dir',
  'height',
  'href',
  'lang',
  'open',
  'reversed',
  'rowspan',
  'scope',
  'span',
  'src',
  'start',
  'style',
  'summary',
  'title',
  'type',
  'valign',
  'value',
  'width'
]);

const LINK = /^(https?:|mailto:)/i;
const PICTURE = /^data:image\/(png|jpeg|gif|webp|bmp|svg\+xml)[;,]/i;

/** The address when it is a web or mail address; else null. */
export function linkAddress(address: string): string | null {
  return LINK.test(clean(address)) ? clean(address) : null;
}

/** The address when it holds a picture itself; else null. */
export function pictureAddress(address: string): string | null {
  return PICTURE.test(clean(address)) ? clean(address) : null;
}

/** HTML of the same content without scripts, forms, frames and anything that loads from elsewhere. */
export function strippedHtml(html: string): string {
  const page = new DOMParser().parseFromString(html, 'text/html');
  page.querySelectorAll(DROPPED).forEach(element => element.remove());
  page.querySelectorAll('*').forEach(strip);
  const styles = [...page.head.querySelectorAll('style')].map(style => style.outerHTML);
  // A frameset stands in place of the body, and is gone now.
  const body = page.querySelector('body');
  return styles.join('') + (body?.innerHTML ?? '');
}

function strip(element: Element): void {
  for (const name of element.getAttributeNames()) {
    if (!KEPT_ATTRIBUTES.has(name)) {
      element.removeAttribute(name);
    }
  }
  keepOnly(element, 'src', pictureAddress);
  keepOnly(element, 'href', linkAddress);
  if (element.hasAttribute('href')) {
    element.setAttribute('target', '_blank');
    element.setAttribute('rel', 'noopener noreferrer nofollow');
  }
}

function keepOnly(element: Element, name: string, check: (value: string) => string | null): void {
  const value = element.getAttribute(name);
  const kept = value === null ? null : check(value);
  if (kept === null) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, kept);
  }
}

/** As browsers read addresses: without white space at the ends, tabs and line breaks. */
function clean(address: string): string {
  return address.replace(/[\t\n\r]/g, '').trim();
}
