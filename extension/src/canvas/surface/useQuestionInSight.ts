/** Shows the answers to a question of an agent that comes up on a card that people look at. */
import { useEffect, useRef, type RefObject } from 'react';
import { useController } from '../hooks';
import { useShared } from './context';

const QUESTION = '.iai-card .iai-ask';

export function useQuestionInSight(card: RefObject<HTMLElement>, isAsking: boolean): void {
  const controller = useController();
  const { gesture } = useShared();
  const wasAsking = useRef(isAsking);
  useEffect(() => {
    const isNew = isAsking && !wasAsking.current;
    wasAsking.current = isAsking;
    const element = card.current;
    if (!isNew || !element) {
      return undefined;
    }
    const grown = new ResizeObserver(() => {
      if (gesture.get() === null && !isAnother(element)) {
        controller.surface?.show(element);
      }
    });
    grown.observe(element);
    return () => grown.disconnect();
  }, [isAsking, card, controller, gesture]);
}

/** Whether another card asks too: somebody may be about to press its buttons. */
function isAnother(card: Element): boolean {
  const all = card.closest('.iai-surface')?.querySelectorAll(QUESTION) ?? [];
  return [...all].some(question => !card.contains(question));
}
