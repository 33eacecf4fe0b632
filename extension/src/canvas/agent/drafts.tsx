/** Answers that people have begun to write: they outlive the card, which closes with its panel. */
import { createContext, useCallback, useContext, useRef, useState, type ReactNode } from 'react';

type Drafts = Map<string, object>;

const DraftsContext = createContext<Drafts | null>(null);

/** Stands around everything that may close while somebody writes in it. */
export function DraftsKept({ children }: { readonly children: ReactNode }) {
  const [drafts] = useState<Drafts>(() => new Map());
  return <DraftsContext.Provider value={drafts}>{children}</DraftsContext.Provider>;
}

/**
 * What is written in a card, and a function that changes a part of it.
 * @param key names what is answered, its run included
 */
export function useDraft<Draft extends object>(
  key: string,
  first: Draft
): readonly [Draft, (change: Partial<Draft>) => void] {
  const drafts = useContext(DraftsContext);
  const [draft, setDraft] = useState(() => (drafts?.get(key) as Draft | undefined) ?? first);
  const latest = useRef(draft);
  const change = useCallback(
    (part: Partial<Draft>): void => {
      latest.current = { ...latest.current, ...part };
      drafts?.set(key, latest.current);
      setDraft(latest.current);
    },
    [drafts, key]
  );
  return [draft, change];
}
