/** Whether the wheel moves the view. */
import { useContext, useState, type FocusEvent } from 'react';
import { InlineContext } from '../hooks';

/** In a notebook the page scrolls under the pointer until the canvas has the focus. */
export function useWheel() {
  const inline = useContext(InlineContext);
  const [focused, setFocused] = useState(false);
  return {
    active: !inline || focused,
    onFocus: () => setFocused(true),
    onBlur: (event: FocusEvent<HTMLElement>) =>
      setFocused(event.currentTarget.contains(event.relatedTarget))
  };
}
