/** What the open conversation is called, who answers in it, and what can be done with it. */
import { useEffect, useId, useRef, useState, type FormEvent } from 'react';
import { agentKey, titleOf } from '../../core/chat';
import { shorten, visible } from '../../core/text';
import { IconButton } from '../chrome/Buttons';
import { useChat, useGone, useLists, useOpened } from './context';

interface Props {
  readonly onThreads: () => void;
  readonly onMemory: () => void;
}

type Doing = '' | 'rename' | 'remove';

const NAME = 80;

export function Header({ onThreads, onMemory }: Props) {
  const { chats, trans } = useChat();
  const { id, thread, agent } = useOpened();
  const { threads } = useLists();
  const [isOpen, setOpen] = useState(false);
  const [doing, setDoing] = useState<Doing>('');
  const more = useId();
  const info = chats.infoOf(agent);
  const listed = threads.find(one => one.id === id);
  const title = listed?.title ?? (thread ? titleOf(thread) : '');
  const end = (): void => setDoing('');
  return (
    <header className="iai-chat-header">
      <div className="iai-chat-title">
        <button type="button" className="iai-button iai-chat-to-threads" onClick={onThreads}>
          {trans('Conversations')}
        </button>
        <h3 title={visible(title)}>
          <bdi>{visible(shorten(title, NAME)) || trans('New conversation')}</bdi>
        </h3>
        <IconButtonOf isOpen={isOpen} id={more} onToggle={() => setOpen(!isOpen)} />
      </div>
      <div className="iai-chat-agent">
        <AgentChoice />
        {info?.model && (
          <bdi className="iai-agent-model" title={visible(info.model)}>
            {visible(shorten(info.model, NAME))}
          </bdi>
        )}
        {info?.is_scripted && (
          <span
            className="iai-badge"
            title={trans('Its answers come from a script; no model is asked.')}
          >
            {trans('scripted model')}
          </span>
        )}
      </div>
      {isOpen && (
        <div className="iai-chat-more" id={more}>
          {doing === 'rename' && <Rename id={id} title={title} onDone={end} />}
          {doing === 'remove' && <Remove id={id} onDone={end} />}
          {doing === '' && <Actions onDoing={setDoing} onMemory={onMemory} />}
        </div>
      )}
    </header>
  );
}

interface ToggleProps {
  readonly isOpen: boolean;
  readonly id: string;
  readonly onToggle: () => void;
}

function IconButtonOf({ isOpen, id, onToggle }: ToggleProps) {
  const { trans } = useChat();
  return (
    <span aria-controls={isOpen ? id : undefined}>
      <IconButton icon="more" label={trans('More')} pressed={isOpen} onClick={onToggle} />
    </span>
  );
}

/** Who answers: of a new conversation it can be chosen. */
function AgentChoice() {
  const { chats, trans } = useChat();
  const { id, agent } = useOpened();
  const { agents } = useLists();
  const info = chats.infoOf(agent);
  if (id !== '' || agents.length < 2 || !agent) {
    return info ? <bdi className="iai-chat-name">{visible(shorten(info.title, NAME))}</bdi> : null;
  }
  return (
    <select
      className="iai-input iai-chat-choose"
      aria-label={trans('Agent')}
      value={agentKey(agent)}
      onChange={event => {
        const chosen = agents.find(one => agentKey(one.agent) === event.currentTarget.value);
        chats.begin(chosen?.agent);
      }}
    >
      {agents.map(one => (
        <option key={agentKey(one.agent)} value={agentKey(one.agent)}>
          {visible(shorten(one.title, NAME))}
        </option>
      ))}
    </select>
  );
}

interface ActionsProps {
  readonly onDoing: (doing: Doing) => void;
  readonly onMemory: () => void;
}

function Actions({ onDoing, onMemory }: ActionsProps) {
  const { chats, services, trans } = useChat();
  const { openWorkspaceFile: openFile } = services;
  const { id, agent } = useOpened();
  const { workspace } = useLists();
  const gone = useGone();
  const [path, setPath] = useState('');
  const hasMemory = chats.infoOf(agent)?.has_memory === true;
  const save = async (): Promise<void> => setPath(await chats.exportNotebook());
  return (
    <>
      <div className="iai-row">
        {hasMemory && (
          <button type="button" className="iai-button" disabled={gone} onClick={onMemory}>
            {trans('Memory')}
          </button>
        )}
        {id !== '' && (
          <>
            <button
              type="button"
              className="iai-button"
              disabled={gone}
              onClick={() => onDoing('rename')}
            >
              {trans('Rename…')}
            </button>
            <button
              type="button"
              className="iai-button"
              disabled={gone}
              onClick={() => void save()}
            >
              {trans('Export as notebook')}
            </button>
            <button
              type="button"
              className="iai-button"
              disabled={gone}
              onClick={() => onDoing('remove')}
            >
              {trans('Delete…')}
            </button>
          </>
        )}
        {id === '' && !hasMemory && (
          <span className="iai-muted">
            {trans('Once something is asked, the conversation can be renamed and exported here.')}
          </span>
        )}
      </div>
      {path && (
        <p role="status">
          {trans('Written to {path}', { path: visible(path) })}{' '}
          {openFile && (
            <button
              type="button"
              className="iai-link"
              onClick={() => openFile(path.startsWith('/') ? path : `${workspace}/${path}`)}
            >
              {trans('Open')}
            </button>
          )}
        </p>
      )}
    </>
  );
}

interface DoingProps {
  readonly id: string;
  readonly onDone: () => void;
}

function Rename({ id, title, onDone }: DoingProps & { readonly title: string }) {
  const { chats, trans } = useChat();
  const [text, setText] = useState(title);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    await chats.rename(id, text);
    onDone();
  };
  return (
    <form className="iai-row" onSubmit={event => void save(event)}>
      <input
        ref={field}
        className="iai-input"
        aria-label={trans('Name of the conversation')}
        maxLength={200}
        value={text}
        onChange={event => setText(event.currentTarget.value)}
        onKeyDown={event => {
          if (event.key === 'Escape') {
            event.stopPropagation();
            onDone();
          }
        }}
      />
      <button type="submit" className="iai-button iai-primary">
        {trans('Rename')}
      </button>
      <button type="button" className="iai-button" onClick={onDone}>
        {trans('Cancel')}
      </button>
    </form>
  );
}

function Remove({ id, onDone }: DoingProps) {
  const { chats, trans } = useChat();
  const keep = useRef<HTMLButtonElement>(null);
  const title = useId();
  useEffect(() => keep.current?.focus(), []);
  const remove = async (): Promise<void> => {
    await chats.remove(id);
    onDone();
  };
  return (
    <div className="iai-row" role="alertdialog" aria-labelledby={title}>
      <span id={title}>{trans('Delete this conversation? Its runs stay in the history.')}</span>
      <button type="button" className="iai-button" ref={keep} onClick={onDone}>
        {trans('Keep it')}
      </button>
      <button type="button" className="iai-button" onClick={() => void remove()}>
        {trans('Delete')}
      </button>
    </div>
  );
}
