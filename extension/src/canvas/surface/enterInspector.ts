/** Takes the keyboard from the surface into the inspector beside it. */

const PAGE = '.iai-inspector [role=tabpanel]';
const FIELDS = `${PAGE} :is(input, select, textarea, button, .cm-content):not(:disabled)`;
const TAB = '.iai-inspector [role=tab][aria-selected=true]';
/** Frames after which what was shown anew has its fields, if it has any. */
const FRAMES = 10;

/** Focus the first field of what is inspected as soon as it is there; without fields, its tab. */
export function enterInspector(surface: EventTarget, frames = FRAMES): void {
  const app = surface instanceof Element ? surface.closest('.iai-app') : null;
  const field = app?.querySelector<HTMLElement>(frames > 0 ? FIELDS : TAB);
  if (field) {
    field.focus();
  } else if (frames > 0) {
    requestAnimationFrame(() => enterInspector(surface, frames - 1));
  }
}
