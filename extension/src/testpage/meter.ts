/** Frames per second, as the browser really draws them. */

export interface Frames {
  readonly fps: number;
  /** The longest time between two frames, in milliseconds. */
  readonly longest: number;
  readonly frames: number;
}

/** Count frames for some milliseconds. */
export function measureFrames(milliseconds: number): Promise<Frames> {
  return new Promise(resolve => {
    const start = performance.now();
    let [last, longest, frames] = [start, 0, 0];
    const tick = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      frames += 1;
      if (now - start < milliseconds) {
        requestAnimationFrame(tick);
      } else {
        resolve({ fps: (frames * 1000) / (now - start), longest, frames });
      }
    };
    requestAnimationFrame(tick);
  });
}

/** Resolve after the next frame has been drawn. */
export function nextFrame(): Promise<void> {
  return new Promise(resolve =>
    requestAnimationFrame(() => requestAnimationFrame(() => resolve()))
  );
}
