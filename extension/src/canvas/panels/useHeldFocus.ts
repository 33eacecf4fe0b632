/** When what had the focus in a panel is gone, what is left beside it takes the focus. */
import { useEffect, type RefObject } from 'react';
import { treeOf } from '../dom';

const FOCUSABLE =
  'button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), ' +
  'a[href], summary, [contenteditable="true"], [tabindex]:not([tabindex="-1"])';

export function useHeldFocus(panel: RefObject<HTMLElement>): void {
  useEffect(() => (panel.current ? holdFocus(panel.current) : undefined), [panel]);
}

/** The same without React; the returned function ends it. */
export function holdFocus(panel: HTMLElement): () => void {
  /** What had the focus last, and what it stood in, up to the panel. */
  let around: readonly Element[] = [];
  const note = ({ target }: FocusEvent): void => {
    around = target instanceof Element ? ancestors(target, panel) : [];
  };
  const forget = ({ relatedTarget }: FocusEvent): void => {
    // Without a related target the element is gone, or the page lost the focus.
    around = relatedTarget === null ? around : [];
  };
  const clear = (): void => {
    around = []; // what is pressed takes the focus next, if it can
  };
  const observer = new MutationObserver(() => {
    const [last] = around;
    if (last && !last.isConnected && isNowhere(panel)) {
      focusBeside(around);
    }
  });
  observer.observe(panel, { childList: true, subtree: true });
  panel.addEventListener('focusin', note);
  panel.addEventListener('focusout', forget);
  document.addEventListener('pointerdown', clear, true);
  return () => {
    observer.disconnect();
    panel.removeEventListener('focusin', note);
    panel.removeEventListener('focusout', forget);
    document.removeEventListener('pointerdown', clear, true);
  };
}

function ancestors(target: Element, panel: Element): Element[] {
  const found: Element[] = [];
  for (let at: Element | null = target; at && at !== panel; at = at.parentElement) {
    found.push(at);
  }
  return [...found, panel];
}

function isNowhere(panel: Element): boolean {
  const { activeElement } = treeOf(panel);
  return activeElement === null || activeElement === document.body;
}

/** Focus the first thing in what is nearest to what has gone. */
function focusBeside(around: readonly Element[]): void {
  for (const place of around.filter(element => element.isConnected)) {
    const found = place.querySelector<HTMLElement>(FOCUSABLE);
    if (found) {
      found.focus({ preventScroll: true });
      return;
    }
  }
}
