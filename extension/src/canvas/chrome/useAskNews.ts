/** Tells those who hear the page what agents ask, wherever their nodes are. */
import { useEffect } from 'react';
import { addressOf, askNews, asksOf } from '../../core/asks';
import type { Controller } from '../../core/controller';
import { useRuns } from '../hooks';
import { useTrans } from './use';

export function useAskNews(controller: Controller): void {
  const trans = useTrans();
  const runs = useRuns(controller);
  useEffect(() => {
    if (!runs) {
      return undefined;
    }
    let known: ReadonlySet<string> = new Set();
    const look = (): void => {
      const asks = runs.paths().flatMap(path => asksOf(runs.node(path)));
      const news = askNews(
        trans,
        asks.filter(ask => !known.has(addressOf(ask)))
      );
      known = new Set(asks.map(addressOf));
      if (news) {
        controller.say(news);
      }
    };
    look();
    return runs.subscribeAll(look);
  }, [controller, trans, runs]);
}
