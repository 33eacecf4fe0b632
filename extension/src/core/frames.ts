/** Doing things as often as a page is painted. */

/** Milliseconds. */
const SOON = 250;

/** Act before the next paint; soon, where nothing is painted: a page in the background goes on. */
export function beforePaint(act: () => void): void {
  const end = (): void => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    act();
  };
  const frame = requestAnimationFrame(end);
  const timer = setTimeout(end, SOON);
}
