/** What panels and bars share: the translator, the commands, answers of the kernel. */
import { createContext, useContext, useEffect, useMemo, useState } from 'react';
import { reasonOf, translatorOf } from '../../core/attempt';
import type { Command } from '../../core/commands';
import type { Controller } from '../../core/controller';
import type { Flow } from '../../core/flow';
import type { Trans } from '../../core/i18n';
import type { LinkStatus, RequestName } from '../../core/link';
import { NO_RUN, type Requests, type RunInfo } from '../../core/protocol';
import { placed } from '../../core/places';
import { flowAt } from '../../core/scope';
import { Store } from '../../core/store';
import { useController, useStore } from '../hooks';

const NO_STATUS = new Store<LinkStatus | null>(null);
const IDLE_RUN = new Store<RunInfo>(NO_RUN);

export const CommandsContext = createContext<readonly Command[]>([]);

/** The translator of the host. */
export function useTrans(): Trans {
  const controller = useController();
  return useMemo(() => translatorOf(controller), [controller]);
}

/** A command of this canvas. */
export function useCommand(id: string): Command {
  const found = useContext(CommandsContext).find(command => command.id === id);
  if (!found) {
    throw new Error(`There is no command ${id}.`);
  }
  return found;
}

/** State of the line to the kernel; null: there is no kernel. */
export function useStatus(controller: Controller): LinkStatus | null {
  const status: Store<LinkStatus | null> = (useStore(controller.link)?.status ??
    NO_STATUS) as Store<LinkStatus | null>;
  return useStore(status);
}

/** The run as a whole. */
export function useRun(controller: Controller): RunInfo {
  return useStore(useStore(controller.link)?.runs.run ?? IDLE_RUN);
}

/** The flow that is on the surface. */
export function useFlow(controller: Controller): Flow {
  const root = useStore(controller.document.flow);
  const { scope } = useStore(controller.view);
  return useMemo(() => placed(flowAt(root, scope)), [root, scope]);
}

/** Draw again whenever a command may have become possible or impossible. */
export function useCommandState(controller: Controller): void {
  useStore(controller.view);
  useStore(controller.document.state);
  useStore(controller.document.flow);
  useStatus(controller);
  useRun(controller);
}

export type Answer<T> =
  | { readonly state: 'none' | 'loading' }
  | { readonly state: 'failed'; readonly reason: string }
  | { readonly state: 'done'; readonly result: T };

const LOADING = { state: 'loading' } as const;
const NONE = { state: 'none' } as const;

/**
 * The kernel's answer to a request; it is asked again when the arguments or `moment` change. While
 * it is asked again the last answer stays. `args` null: nothing is asked.
 */
export function useRequest<K extends RequestName>(
  name: K,
  args: Requests[K]['arguments'] | null,
  moment: string | number | null = ''
): Answer<Requests[K]['result']> {
  const controller = useController();
  const link = useStore(controller.link);
  const status = useStatus(controller);
  const question = args && link && status === 'ready' ? JSON.stringify([name, args]) : '';
  const [known, setKnown] = useState<{ question: string; answer: Answer<Requests[K]['result']> }>({
    question: '',
    answer: NONE
  });
  useEffect(() => {
    if (!link || question === '') {
      return undefined;
    }
    let current = true;
    const settle = (answer: Answer<Requests[K]['result']>): void => {
      if (current) {
        setKnown({ question, answer });
      }
    };
    const asked = (JSON.parse(question) as [string, Requests[K]['arguments']])[1];
    link.request(name, asked).then(
      result => settle({ state: 'done', result }),
      (error: unknown) => settle({ state: 'failed', reason: reasonOf(controller, error) })
    );
    return () => {
      current = false;
    };
  }, [controller, link, name, question, moment]);
  if (question === '') {
    return NONE;
  }
  return known.question === question ? known.answer : LOADING;
}

/** The time in epoch seconds; it moves while `live`. */
export function useNow(live: boolean): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    if (!live) {
      return undefined;
    }
    const timer = setInterval(() => setNow(Date.now() / 1000), 500);
    return () => clearInterval(timer);
  }, [live]);
  return now;
}
