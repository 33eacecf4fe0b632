/** Tells those who hear the page when a run begins and ends. */
import { useEffect, useRef } from 'react';
import type { Controller } from '../../core/controller';
import { runNews } from '../../core/news';
import { useRun, useTrans } from './use';

export function useRunNews(controller: Controller): void {
  const trans = useTrans();
  const run = useRun(controller);
  const last = useRef(run);
  useEffect(() => {
    const news = runNews(trans, last.current, run);
    last.current = run;
    if (news) {
      controller.say(news);
    }
  }, [controller, trans, run]);
}
