/** Asking the service from components. */
import {
  useCallback,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
  type RefObject
} from 'react';
import type { Store } from '../core/store';

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

export interface Asked<T> {
  readonly result: T | null;
  readonly error: string;
}

/** Ask whenever `key` changes; an answer that comes too late is dropped, the last one stays. */
export function useAsked<T>(ask: () => Promise<T>, key: string): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>({ result: null, error: '' });
  useEffect(() => {
    let wanted = true;
    ask().then(
      result => wanted && setAsked({ result, error: '' }),
      (error: unknown) => wanted && setAsked(({ result }) => ({ result, error: said(error) }))
    );
    return () => {
      wanted = false;
    };
    // `key` stands for all that `ask` depends on
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  return asked;
}

/** A text, once the person pauses. */
export function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

const PAUSE_MS = 300;

export interface Doing {
  readonly busy: boolean;
  /** What went wrong; "": nothing. */
  readonly fault: string;
  /** Do something once at a time; says whether it succeeded. */
  go(work: () => Promise<unknown>): Promise<boolean>;
}

export function useDoing(): Doing {
  const [state, setState] = useState({ busy: false, fault: '' });
  const go = useCallback(async (work: () => Promise<unknown>): Promise<boolean> => {
    setState({ busy: true, fault: '' });
    try {
      await work();
      setState({ busy: false, fault: '' });
      return true;
    } catch (error) {
      setState({ busy: false, fault: said(error) });
      return false;
    }
  }, []);
  return { ...state, go };
}

export function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Where people begin to fill in; what is folded away is passed over. */
const FIELDS = 'input:not([disabled]), select, textarea, .cm-content';

/** Give the focus to the first field below an element, once `ready`, wherever it comes from. */
export function useFirstField<Element extends HTMLElement>(ready: boolean): RefObject<Element> {
  const ref = useRef<Element>(null);
  useEffect(() => {
    const root = ref.current;
    if (!root || !ready) {
      return undefined;
    }
    const focus = (): boolean => {
      const fields = [...root.querySelectorAll<HTMLElement>(FIELDS)];
      const field = fields.find(each => !each.closest('details'));
      if (!root.contains(document.activeElement)) {
        field?.focus();
      }
      return field !== undefined;
    };
    if (focus()) {
      return undefined;
    }
    const watch = new MutationObserver(() => focus() && watch.disconnect());
    watch.observe(root, { childList: true, subtree: true });
    return () => watch.disconnect();
  }, [ready]);
  return ref;
}
