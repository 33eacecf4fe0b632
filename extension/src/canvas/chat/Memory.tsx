/** What the agent of a conversation remembers, to be searched and forgotten. */
import { useEffect, useRef, useState } from 'react';
import type { ChatAgent } from '../../core/chat';
import type { MemoryInfo } from '../../core/chatLink';
import { visible } from '../../core/text';
import { useChat } from './context';
import { useFound } from './useFound';
import { shortMoment } from './words';

interface Props {
  readonly agent: ChatAgent;
  readonly onClose: () => void;
}

export function MemoryView({ agent, onClose }: Props) {
  const { chats, trans } = useChat();
  const [query, setQuery] = useState('');
  const [forgotten, setForgotten] = useState<readonly string[]>([]);
  const [found, fault] = useFound<MemoryInfo>(
    () => chats.memories(agent, query.trim()),
    query.trim(),
    forgotten.length
  );
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => search.current?.focus(), []);
  const memories = (found ?? []).filter(({ id }) => !forgotten.includes(id));
  const forget = async (id: string): Promise<void> => {
    if (await chats.forget(agent, id)) {
      setForgotten(ids => [...ids, id]);
    }
  };
  return (
    <section
      className="iai-chat-memory"
      aria-label={trans('Memory')}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onClose();
        }
      }}
    >
      <div className="iai-chat-memory-head">
        <button type="button" className="iai-button" onClick={onClose}>
          {trans('Back')}
        </button>
        <h3>{trans('What the agent remembers')}</h3>
      </div>
      <input
        ref={search}
        className="iai-input"
        type="search"
        aria-label={trans('Search the memory')}
        placeholder={trans('Search the memory')}
        value={query}
        onChange={event => setQuery(event.currentTarget.value)}
      />
      <p className="iai-hidden" role="status">
        {forgotten.length > 0 && trans('Forgotten.')}
      </p>
      {fault && (
        <p className="iai-fault" role="alert">
          {fault}
        </p>
      )}
      {found === null && <p className="iai-muted">{trans('Looking…')}</p>}
      {found !== null && !fault && memories.length === 0 && (
        <p className="iai-muted">
          {query.trim()
            ? trans('Nothing that it remembers fits.')
            : trans('It remembers nothing yet. What it keeps with its memory tools stands here.')}
        </p>
      )}
      <ul>
        {memories.map(memory => (
          <MemoryItem key={memory.id} memory={memory} onForget={() => void forget(memory.id)} />
        ))}
      </ul>
    </section>
  );
}

interface ItemProps {
  readonly memory: MemoryInfo;
  readonly onForget: () => void;
}

function MemoryItem({ memory, onForget }: ItemProps) {
  const { services, trans } = useChat();
  const { text, kind, when, why } = memory;
  return (
    <li className="iai-chat-remembered">
      <p className="iai-agent-words">{visible(text)}</p>
      <div className="iai-row">
        <span className="iai-badge">{visible(kind)}</span>
        {when !== null && <span className="iai-muted">{shortMoment(when, services.language)}</span>}
        {why && <span className="iai-muted">{visible(why)}</span>}
        <span className="iai-stretch" />
        <button type="button" className="iai-button" onClick={onForget}>
          {trans('Forget')}
        </button>
      </div>
    </li>
  );
}
