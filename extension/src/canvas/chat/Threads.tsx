/** The list of conversations. */
import { useState } from 'react';
import { agentKey, type ChatAgent } from '../../core/chat';
import type { ThreadInfo } from '../../core/chatLink';
import { shorten, visible } from '../../core/text';
import { Icon } from '../chrome/icons';
import { useChat, useLists, useOpened } from './context';
import { exchangeStateText, shortMoment } from './words';

/** From so many conversations on they can be searched. */
const MANY = 8;
const TITLE = 80;

interface Props {
  /** A conversation was chosen or begun. */
  readonly onOpened: () => void;
  /** Leaves the list, where nothing else is shown. */
  readonly onClose?: () => void;
}

export function Threads({ onOpened, onClose }: Props) {
  const { chats, trans } = useChat();
  const { threads } = useLists();
  const [query, setQuery] = useState('');
  const found = threads.filter(thread => fits(thread, query));
  return (
    <nav
      className="iai-chat-threads"
      aria-label={trans('Conversations')}
      onKeyDown={event => {
        if (event.key === 'Escape' && onClose) {
          event.stopPropagation();
          onClose();
        }
      }}
    >
      <div className="iai-chat-threads-head">
        <button
          type="button"
          className="iai-button"
          onClick={() => {
            chats.begin();
            void chats.refresh();
            onOpened();
          }}
        >
          <Icon name="add" />
          {trans('New conversation')}
        </button>
        {threads.length >= MANY && (
          <input
            className="iai-input"
            type="search"
            aria-label={trans('Search conversations')}
            placeholder={trans('Search')}
            value={query}
            onChange={event => setQuery(event.currentTarget.value)}
          />
        )}
      </div>
      {threads.length === 0 && (
        <p className="iai-muted iai-pad">{trans('What you ask is kept here.')}</p>
      )}
      {threads.length > 0 && found.length === 0 && (
        <p className="iai-muted iai-pad">{trans('No conversation is called so.')}</p>
      )}
      <ul>
        {found.map(thread => (
          <ThreadItem key={thread.id} thread={thread} onOpened={onOpened} />
        ))}
      </ul>
    </nav>
  );
}

function ThreadItem({ thread, onOpened }: Pick<Props, 'onOpened'> & { thread: ThreadInfo }) {
  const { chats, services, trans } = useChat();
  const { id } = useOpened();
  const { agents } = useLists();
  const { state, changed_at: at } = thread;
  const isNews = state === 'working' || state === 'sending' || state === 'failed';
  return (
    <li>
      <button
        type="button"
        className="iai-chat-thread"
        aria-current={thread.id === id || undefined}
        onClick={() => {
          void chats.open(thread.id);
          onOpened();
        }}
      >
        <bdi className="iai-chat-thread-title">
          {visible(shorten(thread.title, TITLE)) || trans('Nothing asked yet')}
        </bdi>
        <span className="iai-muted">
          {isNews && state && <>{exchangeStateText(trans, state)} · </>}
          {agents.length !== 1 && (
            <>
              <bdi>{visible(shorten(nameOf(thread.agent), TITLE))}</bdi> ·{' '}
            </>
          )}
          {shortMoment(at, services.language)}
        </span>
      </button>
    </li>
  );
}

function fits({ title, agent }: ThreadInfo, query: string): boolean {
  const wanted = query.trim().toLocaleLowerCase();
  return `${title}\n${agentKey(agent)}`.toLocaleLowerCase().includes(wanted);
}

/** What an agent is called where no more is known of it. */
function nameOf(agent: ChatAgent): string {
  return agent.kind === 'node' ? `${agent.flow}: ${agent.path}` : agent.name;
}
