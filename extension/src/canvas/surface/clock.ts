/** The present time for whoever shows how long something takes: one timer for all of them. */
import { useSyncExternalStore } from 'react';
import { Store } from '../../core/store';

const TICK_MS = 200;
const now = new Store(Date.now() / 1000);
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

function watch(listener: () => void): () => void {
  const stop = now.subscribe(listener);
  if (watchers === 0) {
    now.set(Date.now() / 1000);
    timer = setInterval(() => now.set(Date.now() / 1000), TICK_MS);
  }
  watchers += 1;
  return () => {
    stop();
    watchers -= 1;
    if (watchers === 0) {
      clearInterval(timer);
    }
  };
}

/** Seconds since the Unix epoch, a few times a second. */
export function useNow(): number {
  return useSyncExternalStore(watch, now.get);
}
