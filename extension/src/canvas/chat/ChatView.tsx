/** A chat with the agents of a kernel: its conversations, and the one that is open. */
import { useRef, useState } from 'react';
import { beforePaint } from '../../core/frames';
import { useHeldFocus } from '../chrome/useHeldFocus';
import { useStore } from '../hooks';
import { Conversation } from './Conversation';
import { NoAgent } from './Empty';
import { MemoryView } from './Memory';
import { Threads } from './Threads';
import { useChat, useGone, useLists, useOpened } from './context';

/** Where there is no room for all of it, one page is shown. */
type Page = 'threads' | 'talk' | 'memory';

/** What has the focus when a page was turned to. */
const QUESTION = '.iai-chat-ask textarea';
const TO_THREADS = '.iai-chat-to-threads';
/** The one that is open, or the button that begins one. */
const THREAD = '.iai-chat-thread[aria-current], .iai-chat-threads:not(:has([aria-current])) button';
const MORE = '.iai-chat-title .iai-icon-button';

export function ChatView() {
  const { trans } = useChat();
  const { agents, threads, state } = useLists();
  const { agent } = useOpened();
  const [page, setPage] = useState<Page>('talk');
  const root = useRef<HTMLDivElement>(null);
  useHeldFocus(root);
  /** Turn to a page, and take the focus to what it is for. */
  const turn = (next: Page, goal: string): void => {
    setPage(next);
    beforePaint(() => root.current?.querySelector<HTMLElement>(goal)?.focus());
  };
  const opened = (): void => {
    if (page === 'threads') {
      turn('talk', QUESTION);
    } else {
      setPage('talk');
    }
  };
  const hasNothing = state === 'ready' && agents.length === 0 && threads.length === 0;
  return (
    <section className="iai-app iai-chat" ref={root} aria-label={trans('Agent chat')}>
      <Notices />
      <div className="iai-chat-body" data-page={page}>
        {hasNothing ? (
          <NoAgent />
        ) : (
          <>
            <Threads
              onOpened={opened}
              onClose={page === 'threads' ? () => turn('talk', TO_THREADS) : undefined}
            />
            {page === 'memory' && agent ? (
              <MemoryView agent={agent} onClose={() => turn('talk', MORE)} />
            ) : (
              <Conversation
                onThreads={() => turn('threads', THREAD)}
                onMemory={() => setPage('memory')}
              />
            )}
          </>
        )}
      </div>
    </section>
  );
}

/** What a person must know before anything else. */
function Notices() {
  const { chats, trans } = useChat();
  const gone = useGone();
  const slow = useStore(chats.link.slow);
  const fault = useStore(chats.fault);
  const { state } = useLists();
  if (gone) {
    return <Gone />;
  }
  if (fault) {
    return (
      <div className="iai-notice" data-kind="error" role="alert">
        <span className="iai-stretch">{fault}</span>
        {state === 'failed' ? (
          <button type="button" className="iai-button" onClick={() => void chats.start()}>
            {trans('Try again')}
          </button>
        ) : (
          <button type="button" className="iai-button" onClick={() => chats.fault.set('')}>
            {trans('Close')}
          </button>
        )}
      </div>
    );
  }
  return slow ? (
    <p className="iai-notice" role="status">
      {trans('The kernel is busy; the answer comes when it is idle.')}
    </p>
  ) : null;
}

function Gone() {
  const { absence, services, trans } = useChat();
  const known = useStore(absence);
  const said =
    known?.message ??
    trans('The kernel is gone; what is shown is from before. Run the cell again to go on.');
  const { command = '', action = null } = known ?? {};
  return (
    <div className="iai-notice" data-kind="warning" role="status">
      <span className="iai-stretch">{said}</span>
      {command && (
        <>
          <code>{command}</code>
          <button type="button" className="iai-button" onClick={() => void services.copy(command)}>
            {trans('Copy')}
          </button>
        </>
      )}
      {action && (
        <button type="button" className="iai-button" onClick={() => action.run()}>
          {action.label}
        </button>
      )}
    </div>
  );
}
