/** Takes the keyboard from the surface into the inspector beside it. */

const PAGE = '.iai-inspector [role=tabpanel]';
const FIELDS = `${PAGE} :is(input, select, textarea, button, .cm-content):not(:disabled)`;
/** What an agent asks about; its buttons come after it: a key that is held would press them. */
const ASKED = '.iai-inspector .iai-ask .iai-log';
const TAB = '.iai-inspector [role=tab][aria-selected=true]';
/** Frames after which what was shown anew has its fields, if it has any. */
const FRAMES = 10;

/**
 * Focus what an agent asks about, else the first field of what is inspected, as soon as it is there;
 * without fields, its tab.
 */
export function enterInspector(surface: EventTarget, frames = FRAMES): void {
  const app = surface instanceof Element ? surface.closest('.iai-app') : null;
  const asked = app?.querySelector<HTMLElement>(ASKED);
  const field = asked ?? app?.querySelector<HTMLElement>(frames > 0 ? FIELDS : TAB);
  if (field) {
    field.focus();
  } else if (frames > 0) {
    requestAnimationFrame(() => enterInspector(surface, frames - 1));
  }
}
