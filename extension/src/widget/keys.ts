/** Keys that are pressed on a canvas are not for the notebook around it. */

/** With Ctrl or Command these are the canvas's or a text field's; others, such as Save, the page's. */
const OURS: ReadonlySet<string> = new Set([
  'a',
  'c',
  'v',
  'x',
  'z',
  'y',
  'd',
  'e',
  'f',
  'g',
  'k',
  '.',
  'enter',
  'arrowup',
  'arrowdown'
]);

/** Stop keys at the element, after everything inside of it has heard them. */
export function keepKeys(element: HTMLElement): () => void {
  element.dataset.lmSuppressShortcuts = 'true';
  const stop = (event: KeyboardEvent): void => {
    if (!(event.ctrlKey || event.metaKey) || OURS.has(event.key.toLowerCase())) {
      event.stopPropagation();
    }
  };
  element.addEventListener('keydown', stop);
  return () => element.removeEventListener('keydown', stop);
}
