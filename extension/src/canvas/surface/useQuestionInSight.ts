/**
 * Shows the answers to a question of an agent that comes up on a card that people look at, also when
 * the card grows or its surface shrinks.
 */
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
    const surface = element.closest('.iai-surface');
    const resized = new ResizeObserver(() => {
      // of two cards that ask, somebody may be about to press the buttons of the other
      const all = [...(surface?.querySelectorAll(QUESTION) ?? [])];
      if (gesture.get() === null && all.every(question => element.contains(question))) {
        controller.surface?.show(element);
      }
    });
    [element, surface].forEach(each => each && resized.observe(each));
    return () => resized.disconnect();
  }, [isAsking, card, controller, gesture]);
}
