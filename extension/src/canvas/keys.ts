/** Keys that are pressed on a canvas are not for the notebook or the document around it. */

/** With Control or Command these are the canvas's or a text field's; others are the host's. */
const OWN = new Set('a c d e f g v x y z . enter arrowup arrowdown'.split(' '));

/** Alone they do nothing anywhere, and the surface, which listens to the page, must hear them. */
const MODIFIERS = new Set(['Shift', 'Control', 'Alt', 'Meta']);

const SUPPRESS = 'data-lm-suppress-shortcuts';

/**
 * Keys end at the element, after everything inside of it has heard them. A notebook around the canvas
 * would take them for commands on its cells: `d d` on a focused node would delete the cell. Keys that
 * are the host's alone, as Ctrl+S, go on.
 */
export function keepKeys(element: HTMLElement): () => void {
  const keep = (event: KeyboardEvent): void => {
    if (isOwn(event) || event.defaultPrevented) {
      event.stopPropagation();
    }
  };
  // Jupyter Notebook looks at keys on their way in. It passes over a target that says so, and over
  // all inside of it: a mark may not outlast its key.
  let marked: Element | null = null;
  const mark = (event: KeyboardEvent): void => {
    marked?.removeAttribute(SUPPRESS);
    marked = null;
    const { target } = event;
    if (!(target instanceof Element) || !element.contains(target) || !isOwn(event)) {
      return;
    }
    if (!target.hasAttribute(SUPPRESS)) {
      target.setAttribute(SUPPRESS, '');
      marked = target;
    }
  };
  element.addEventListener('keydown', keep);
  window.addEventListener('keydown', mark, true);
  return () => {
    element.removeEventListener('keydown', keep);
    window.removeEventListener('keydown', mark, true);
    marked?.removeAttribute(SUPPRESS);
  };
}

function isOwn(event: KeyboardEvent): boolean {
  if (MODIFIERS.has(event.key)) {
    return false;
  }
  return !(event.ctrlKey || event.metaKey) || OWN.has(event.key.toLowerCase());
}
