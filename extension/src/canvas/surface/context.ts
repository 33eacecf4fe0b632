/** What the parts of one surface reach without passing it on. */
import { createContext, useContext } from 'react';
import type { Problem } from '../../core/protocol';
import type { Shared } from './lights';

export const SharedContext = createContext<Shared | null>(null);
/** Whether the surface is seen from so far that cards are plain boxes. */
export const FarContext = createContext(false);
/** Prefix of element ids of this surface. */
export const PrefixContext = createContext('');
/** The problems of each node of the open flow. */
export const ProblemsContext = createContext<ReadonlyMap<string, readonly Problem[]>>(new Map());

export function useShared(): Shared {
  const shared = useContext(SharedContext);
  if (!shared) {
    throw new Error('This component stands outside of a surface.');
  }
  return shared;
}
