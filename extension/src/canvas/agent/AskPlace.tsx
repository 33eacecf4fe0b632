/** Where questions stand, of agents and others. */
import { useRef, type ReactNode } from 'react';
import { useHeldFocus } from '../chrome/useHeldFocus';

/** When a question that had the focus is gone, the next one takes it. */
export function AskPlace({ children }: { readonly children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  useHeldFocus(place, focusQuestion);
  return (
    <div className="iai-asks" ref={place} tabIndex={-1}>
      {children}
    </div>
  );
}

/** As a whole: a key that is pressed twice answers nothing. */
function focusQuestion(around: readonly Element[]): void {
  const left = around.filter(element => element.isConnected);
  const place = left.at(-1);
  const question =
    left.find(element => element.matches(QUESTION)) ?? place?.querySelector(QUESTION) ?? place;
  if (question instanceof HTMLElement) {
    question.focus();
  }
}

const QUESTION = '.iai-ask, .iai-waiting';
