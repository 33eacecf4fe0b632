/** The conversation that is open: who answers, what was said, and where one asks. */
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react';
import { askNews, askOf } from '../../core/asks';
import { canAsk, shownBranch, versionsOf, type Exchange, type Thread } from '../../core/chat';
import type { Wait } from '../../core/protocol';
import { visible } from '../../core/text';
import { useStore } from '../hooks';
import { Composer } from './Composer';
import { ExchangeItem } from './ExchangeItem';
import { Header } from './Header';
import { useChat, useGone, useLists, useOpened } from './context';
import { exchangeStateText } from './words';

interface Props {
  readonly onThreads: () => void;
  readonly onMemory: () => void;
}

/** The newest exchanges, which are drawn at first; and as many more at a time. */
const DRAWN = 20;

export function Conversation({ onThreads, onMemory }: Props) {
  const { trans } = useChat();
  const { id, thread, asks } = useOpened();
  const { state } = useLists();
  const gone = useGone();
  const log = useRef<HTMLDivElement>(null);
  const isAway = useEnd(log, thread);
  return (
    <div className="iai-chat-talk">
      <Header onThreads={onThreads} onMemory={onMemory} />
      <div className="iai-chat-frame">
        <div
          className="iai-chat-log"
          role="log"
          aria-live="off" // what is new is told below: not every word of an answer
          aria-label={trans('Conversation')}
          aria-busy={thread === null}
          tabIndex={0} // it scrolls, whatever is in it
          ref={log}
        >
          {thread === null ? (
            state === 'ready' && id === '' ? (
              <p className="iai-chat-empty">
                {trans('Choose a conversation, or begin a new one.')}
              </p>
            ) : (
              state !== 'failed' && !gone && <p className="iai-muted">{trans('Loading…')}</p>
            )
          ) : (
            <Exchanges key={id} thread={thread} asks={asks} gone={gone} />
          )}
        </div>
        {isAway && (
          <button
            type="button"
            className="iai-button iai-chat-down"
            onClick={() => log.current?.scrollTo({ top: log.current.scrollHeight })}
          >
            {trans('To the newest')}
          </button>
        )}
      </div>
      <News />
      <Ask />
    </div>
  );
}

interface ExchangesProps {
  readonly thread: Thread;
  readonly asks: Readonly<Record<string, readonly Wait[]>>;
  readonly gone: boolean;
}

const NO_WAITS: readonly Wait[] = [];

function Exchanges({ thread, asks, gone }: ExchangesProps) {
  const { trans } = useChat();
  const [drawn, setDrawn] = useState(DRAWN);
  const blocked = useBlocked();
  const all = shownBranch(thread);
  const left = Math.max(0, all.length - drawn);
  if (all.length === 0) {
    return <Invitation />;
  }
  return (
    <>
      {left > 0 && (
        <button type="button" className="iai-button" onClick={() => setDrawn(drawn + DRAWN)}>
          {trans('Show earlier ({count})', { count: left })}
        </button>
      )}
      <ol className="iai-chat-exchanges">
        {all.slice(left).map(exchange => (
          <ExchangeItem
            key={exchange.id}
            exchange={exchange}
            {...placeOf(thread, exchange)}
            asks={asks[exchange.id] ?? NO_WAITS}
            blocked={blocked}
            gone={gone}
          />
        ))}
      </ol>
    </>
  );
}

/** Where an exchange stands among its versions. */
function placeOf(thread: Thread, exchange: Exchange) {
  const versions = versionsOf(thread, exchange);
  const at = versions.indexOf(exchange);
  return {
    earlier: versions[at - 1]?.id ?? '',
    later: versions[at + 1]?.id ?? '',
    version: at + 1,
    versions: versions.length
  };
}

function Invitation() {
  const { chats, trans } = useChat();
  const info = chats.infoOf(useOpened().agent);
  useLists();
  return info ? (
    <div className="iai-chat-empty">
      <h3>{trans('Ask {name} something', { name: visible(info.title) })}</h3>
      <p>
        {trans(
          'Each question is a run of its own, with the agent’s tools, policy and budget. Tables of the kernel, files of the workspace and pictures can go with it.'
        )}
      </p>
    </div>
  ) : null;
}

/** Why nothing can be asked now; "": it can. */
function useBlocked(): string {
  const { chats, trans } = useChat();
  const { thread, agent } = useOpened();
  useLists();
  if (useGone()) {
    return trans('The kernel is gone.');
  }
  if (!thread) {
    return trans('No conversation is open.');
  }
  if (!canAsk(thread)) {
    return trans('The agent works; wait for it or stop it.');
  }
  const info = chats.infoOf(agent);
  return info ? info.fault : trans('This agent is not in the kernel now');
}

function Ask() {
  const { chats, trans } = useChat();
  const { agent, thread } = useOpened();
  const blocked = useBlocked();
  useStore(chats.drafts);
  const value = chats.draft();
  const gone = useGone();
  const works = thread !== null && !canAsk(thread) && !gone;
  const info = chats.infoOf(agent);
  const fault = info?.fault ?? '';
  const isMissing = useLists().state === 'ready' && thread !== null && !info && !gone;
  return (
    <div className="iai-chat-ask">
      {fault && (
        <p className="iai-notice" data-kind="warning">
          {fault}
        </p>
      )}
      {isMissing && (
        <div className="iai-notice" data-kind="warning" role="status">
          <span className="iai-stretch">
            {trans(
              'This agent is not in the kernel now. Run the cell that makes it, or open its flow.'
            )}
          </span>
          <button type="button" className="iai-button" onClick={() => void chats.refresh()}>
            {trans('Look again')}
          </button>
        </div>
      )}
      <Composer
        label={trans('Question')}
        placeholder={trans('Ask… (Shift+Enter: new line)')}
        value={value}
        onChange={question => chats.keepDraft(question)}
        blocked={blocked}
        send={trans('Send')}
        onSend={() => void chats.ask(value)}
        onStop={works ? () => void chats.stop() : undefined}
      />
    </div>
  );
}

/** Tells those who hear the page how the last question fares. */
function News() {
  const { trans } = useChat();
  const { thread, asks } = useOpened();
  const last = thread ? shownBranch(thread).at(-1) : undefined;
  const before = useRef<{ readonly id: string; readonly state: string } | null>(null);
  const [said, setSaid] = useState('');
  const { id = '', state = '', fault = '' } = last ?? {};
  useEffect(() => {
    const known = before.current;
    before.current = { id, state };
    if (state && known?.id === id && known.state !== state) {
      const done = state === 'done' ? trans('The agent has answered.') : '';
      setSaid([done || exchangeStateText(trans, state), visible(fault)].filter(Boolean).join('. '));
    }
  }, [id, state, fault, trans]);
  const asked = (asks[id] ?? NO_WAITS).flatMap(wait => askOf(wait) ?? []);
  return (
    <p className="iai-hidden" role="status">
      {asked.length > 0 ? askNews(trans, asked) : said}
    </p>
  );
}

/** Pixels from the end at which one still reads along. */
const NEAR = 60;

/** Keeps the end in sight while one is there; says whether one is away from it. */
function useEnd(log: RefObject<HTMLElement>, thread: Thread | null): boolean {
  const [isAway, setAway] = useState(false);
  const isThere = useRef(true);
  const shown = useRef('');
  useEffect(() => {
    const { current } = log;
    const look = (): void => {
      if (current) {
        const { scrollHeight, scrollTop, clientHeight } = current;
        isThere.current = scrollHeight - scrollTop - clientHeight < NEAR;
        setAway(!isThere.current);
      }
    };
    current?.addEventListener('scroll', look, { passive: true });
    return () => current?.removeEventListener('scroll', look);
  }, [log]);
  useLayoutEffect(() => {
    const last = thread ? (shownBranch(thread).at(-1)?.id ?? '') : '';
    const isOther = last !== shown.current; // asked just now, or another conversation
    shown.current = last;
    if (log.current && (isThere.current || isOther)) {
      log.current.scrollTo({ top: log.current.scrollHeight });
    }
  });
  return isAway;
}
