/** Takes the keyboard from the surface into the inspector beside it. */
import { treeOf } from '../dom';

const PAGE = '.iai-inspector [role=tabpanel]';
const FIELDS = `${PAGE} :is(input, select, textarea, button, .cm-content):not(:disabled)`;
/**
 * What an agent asks about, or its whole card where an answer is half-written: a key that is held
 * would press its buttons, or write.
 */
const ASKED = '.iai-inspector .iai-ask:has(.iai-ask-part), .iai-inspector .iai-ask .iai-log';
const TAB = '.iai-inspector [role=tab][aria-selected=true]';
/** Frames after which what was shown anew has its fields, if it has any. */
const FRAMES = 10;

/**
 * Focus what an agent asks about, else the first field of what is inspected, as soon as it is there;
 * without fields, its tab. Whoever takes the focus elsewhere meanwhile keeps it.
 */
export function enterInspector(surface: Element, frames = FRAMES): void {
  const app = surface.closest('.iai-app');
  const asked = app?.querySelector<HTMLElement>(ASKED);
  const field = asked ?? app?.querySelector<HTMLElement>(frames > 0 ? FIELDS : TAB);
  const { activeElement } = treeOf(surface);
  if (field) {
    field.focus();
  } else if (frames > 0) {
    requestAnimationFrame(() => {
      if (treeOf(surface).activeElement === activeElement) {
        enterInspector(surface, frames - 1);
      }
    });
  }
}
