/** Lists with one tab stop: arrow keys, Home and End go from one entry to the next. */
import { useEffect, useLayoutEffect, useRef, type KeyboardEvent, type RefObject } from 'react';

interface Roving<Element extends HTMLElement> {
  readonly ref: RefObject<Element>;
  onKeyDown(event: KeyboardEvent): void;
  onFocus(event: { readonly target: EventTarget }): void;
}

/** Props of the element that holds entries; `selector` finds them, `back` the one to go back to. */
export function useRoving<Element extends HTMLElement>(
  selector: string,
  back = ''
): Roving<Element> {
  const ref = useRef<Element>(null);
  const last = useRef<HTMLElement | null>(null);
  const entries = (): HTMLElement[] => [
    ...(ref.current?.querySelectorAll<HTMLElement>(selector) ?? [])
  ];
  const mark = (): void => {
    const all = entries();
    const stop = last.current && all.includes(last.current) ? last.current : all[0];
    all.forEach(entry => {
      entry.tabIndex = entry === stop ? 0 : -1;
    });
  };
  useLayoutEffect(mark);
  useEffect(() => {
    const entry = back ? ref.current?.querySelector<HTMLElement>(back) : null;
    if (entry && document.activeElement === document.body) {
      entry.focus();
    }
    // only where the list appears
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  return {
    ref,
    onFocus: ({ target }) => {
      if (entries().includes(target as HTMLElement)) {
        last.current = target as HTMLElement;
        mark();
      }
    },
    onKeyDown: event => {
      const all = entries();
      const at = all.indexOf(event.target as HTMLElement);
      const goal = at < 0 ? undefined : goalOf(event.key, at, all.length);
      if (goal !== undefined) {
        event.preventDefault();
        event.stopPropagation();
        all[goal]?.focus();
      }
    }
  };
}

function goalOf(key: string, at: number, count: number): number | undefined {
  const goals: Readonly<Record<string, number>> = {
    ArrowDown: Math.min(at + 1, count - 1),
    ArrowUp: Math.max(at - 1, 0),
    Home: 0,
    End: count - 1
  };
  return goals[key];
}
