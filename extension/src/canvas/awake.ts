/** A page that was out of sight for long may have slept: the kernel's state is asked for anew. */
import type { Controller } from '../core/controller';

/** Milliseconds. */
const LONG = 60_000;

/** Refresh the canvas when its page is seen again, until the answer is called. */
export function refreshWhenAwake(controller: Controller): () => void {
  let hiddenAt = Infinity;
  const changed = (): void => {
    if (document.hidden) {
      hiddenAt = Date.now();
    } else if (Date.now() - hiddenAt > LONG) {
      controller.link.get()?.refresh();
    }
  };
  document.addEventListener('visibilitychange', changed);
  return () => document.removeEventListener('visibilitychange', changed);
}
