/** What the components of an inspector share. */
import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Trans } from '../core/messages';
import type { Store } from '../core/store';
import type { Inspector, State } from './model';

export interface Shared {
  readonly model: Inspector;
  readonly trans: Trans;
  readonly language: string;
}

export const SharedContext = createContext<Shared | null>(null);

export function useShared(): Shared {
  const shared = useContext(SharedContext);
  if (!shared) {
    throw new Error('This component stands outside of an inspector.');
  }
  return shared;
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

export function useInspector(): State {
  return useStore(useShared().model.state);
}
