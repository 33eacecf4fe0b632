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

/** The parts that give the focus on; of those inside of each other the inner one does. */
const PARTS = new WeakSet<Element>();

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
    if (last && !last.isConnected && isNowhere(panel) && isOurs(around)) {
      heir(around);
    }
  });
  PARTS.add(panel);
  observer.observe(panel, { childList: true, subtree: true });
  panel.addEventListener('focusin', note);
  panel.addEventListener('focusout', forget);
  document.addEventListener('pointerdown', elsewhere, true);
  return () => {
    observer.disconnect();
    PARTS.delete(panel);
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

/** Whether the focus was in no other part that is still there, inside of this one. */
function isOurs(around: readonly Element[]): boolean {
  return !around.slice(0, -1).some(element => element.isConnected && PARTS.has(element));
}

/** Focus the nearest that it was in and that can have the focus itself. */
export function focusAround(around: readonly Element[]): void {
  const found = around.find(element => element.isConnected && element.matches('[tabindex]'));
  if (found instanceof HTMLElement) {
    found.focus({ preventScroll: true });
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
