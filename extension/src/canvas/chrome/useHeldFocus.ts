/**
 * When what had the focus in a part of the canvas is gone, what is left takes the focus: else the
 * next key goes elsewhere.
 */
import { useEffect, type RefObject } from 'react';
import { beganIn, treeOf } from '../dom';

const FOCUSABLE =
  'button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), ' +
  'a[href], summary, [contenteditable="true"], [tabindex]:not([tabindex="-1"])';

/** Gives the focus on, from what it was in: nearest first, the part itself last. */
type Heir = (around: readonly Element[]) => void;

export function useHeldFocus(panel: RefObject<HTMLElement>, heir?: Heir): void {
  useEffect(() => (panel.current ? holdFocus(panel.current, heir) : undefined), [panel, heir]);
}

/** The same without React; the returned function ends it. */
export function holdFocus(panel: HTMLElement, heir: Heir = focusBeside): () => void {
  /** What had the focus last, and what it stood in, up to the panel. */
  let around: readonly Element[] = [];
  const note = ({ target }: FocusEvent): void => {
    around = target instanceof Element ? ancestors(target, panel) : [];
  };
  const forget = ({ relatedTarget }: FocusEvent): void => {
    // Without a related target the element is gone, or the page lost the focus.
    around = relatedTarget === null ? around : [];
  };
  const elsewhere = (event: Event): void => {
    around = beganIn(event, panel) ? around : [];
  };
  const observer = new MutationObserver(() => {
    const [last] = around;
    if (last && !last.isConnected && isNowhere(panel)) {
      heir(around);
    }
  });
  observer.observe(panel, { childList: true, subtree: true });
  panel.addEventListener('focusin', note);
  panel.addEventListener('focusout', forget);
  document.addEventListener('pointerdown', elsewhere, true);
  return () => {
    observer.disconnect();
    panel.removeEventListener('focusin', note);
    panel.removeEventListener('focusout', forget);
    document.removeEventListener('pointerdown', elsewhere, true);
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

/** Focus the part itself. */
export function focusWhole(around: readonly Element[]): void {
  const whole = around.at(-1);
  if (whole instanceof HTMLElement) {
    whole.focus({ preventScroll: true });
  }
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
