/** Tells those who hear the page when a run begins and ends. */
import { useEffect, useRef, useState } from 'react';
import type { Controller } from '../../core/controller';
import { runNews } from '../../core/news';
import { useRun, useTrans } from './use';

export function useRunNews(controller: Controller): void {
  const trans = useTrans();
  const run = useRun(controller);
  const last = useRef(run);
  const [since] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const news = runNews(trans, last.current, run, since);
    last.current = run;
    if (news) {
      controller.say(news);
    }
  }, [controller, trans, run, since]);
}
