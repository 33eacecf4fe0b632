/** Keys that are pressed on a canvas are not for the notebook or the document around it. */

/** With Control or Command these are the canvas's or a text field's; others are the host's. */
const OWN = new Set('a c d e f g v x y z . enter arrowup arrowdown'.split(' '));

/**
 * Keys end at the element, after everything inside of it has heard them. A notebook around the canvas
 * would take them for commands on its cells: `d d` on a focused node would delete the cell. Keys that
 * are the host's alone, as Ctrl+S, go on.
 */
export function keepKeys(element: HTMLElement): () => void {
  const keep = (event: KeyboardEvent): void => {
    const mod = event.ctrlKey || event.metaKey;
    if (!mod || event.defaultPrevented || OWN.has(event.key.toLowerCase())) {
      event.stopPropagation();
    }
  };
  element.addEventListener('keydown', keep);
  return () => element.removeEventListener('keydown', keep);
}
