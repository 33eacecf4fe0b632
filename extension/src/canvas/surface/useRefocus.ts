/** When what had the focus is gone, the surface takes it: else the next key goes elsewhere. */
import { useEffect, useRef, type RefObject } from 'react';
import { beganIn } from '../dom';

export function useRefocus(wrapper: RefObject<HTMLDivElement>, changed: unknown): void {
  const inside = useRef(false);
  useEffect(() => {
    const element = wrapper.current;
    if (!element) {
      return undefined;
    }
    const enter = (): void => {
      inside.current = true;
    };
    const leave = (event: FocusEvent): void => {
      // Without a related target, either the page lost the focus or the element is gone.
      inside.current =
        event.relatedTarget === null || element.contains(event.relatedTarget as Node);
    };
    const elsewhere = (event: PointerEvent): void => {
      inside.current &&= beganIn(event, element);
    };
    element.addEventListener('focusin', enter);
    element.addEventListener('focusout', leave);
    document.addEventListener('pointerdown', elsewhere, true);
    return () => {
      element.removeEventListener('focusin', enter);
      element.removeEventListener('focusout', leave);
      document.removeEventListener('pointerdown', elsewhere, true);
    };
  }, [wrapper]);
  useEffect(() => {
    if (inside.current && document.activeElement === document.body) {
      wrapper.current?.focus({ preventScroll: true });
    }
  }, [wrapper, changed]);
}
