/** A question with its versions, what came of it, and what is asked of people meanwhile. */
import { memo, useRef, useState } from 'react';
import { readTrace } from '../../core/agentTrace';
import { answerOf, askOf, type Decision } from '../../core/asks';
import { isOpen, type Exchange, type Question } from '../../core/chat';
import { beforePaint } from '../../core/frames';
import type { Wait } from '../../core/protocol';
import { visible } from '../../core/text';
import { AskCard, type ArgumentsEditorProps } from '../agent/AskCard';
import { AskPlace } from '../agent/AskPlace';
import { WaitCard } from '../agent/WaitCard';
import { IconButton } from '../chrome/Buttons';
import { Mount } from '../chrome/Mounted';
import { Answer } from './Answer';
import { Attached } from './Attached';
import { Composer } from './Composer';
import { useChat } from './context';

interface Props {
  readonly exchange: Exchange;
  /** The versions of it beside, as ids; "": there is none. */
  readonly earlier: string;
  readonly later: string;
  /** Which version this is, from 1 on, and how many there are. */
  readonly version: number;
  readonly versions: number;
  readonly asks: readonly Wait[];
  /** Why nothing can be asked now; "": it can. */
  readonly blocked: string;
  /** Whether the kernel is gone. */
  readonly gone: boolean;
}

export const ExchangeItem = memo(function ExchangeItem(props: Props) {
  const { exchange, asks, blocked, gone } = props;
  const { trans } = useChat();
  const [isEdited, setEdited] = useState(false);
  const edit = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setEdited(false);
    beforePaint(() => edit.current?.focus());
  };
  return (
    <li className="iai-chat-exchange" data-state={exchange.state}>
      {isEdited ? (
        <Edit exchange={exchange} blocked={blocked} onDone={close} />
      ) : (
        <div className="iai-chat-question" role="group" aria-label={trans('Your question')}>
          <p className="iai-agent-words">{visible(exchange.text)}</p>
          <Attached attachments={exchange.attachments} />
        </div>
      )}
      {!isEdited && (
        <div className="iai-chat-actions">
          <Versions {...props} />
          <button type="button" ref={edit} className="iai-link" onClick={() => setEdited(true)}>
            {trans('Edit')}
          </button>
          {!isOpen(exchange) && <After exchange={exchange} blocked={blocked} />}
        </div>
      )}
      <Answer exchange={exchange} live={isOpen(exchange) && !gone} />
      {!gone && asks.length > 0 && (
        <AskPlace>
          {asks.map(wait => (
            <Asked key={`${wait.step} ${wait.key}`} wait={wait} run={exchange.run_id} />
          ))}
        </AskPlace>
      )}
    </li>
  );
});

/** What can be done with an exchange that has ended. */
function After({ exchange, blocked }: Pick<Props, 'exchange' | 'blocked'>) {
  const { chats, services, trans } = useChat();
  const { text, attachments } = exchange;
  const copy = async (): Promise<void> => {
    await services.copy(answerText(exchange));
    services.notify(trans('Copied.'), 'success');
  };
  return (
    <>
      <button
        type="button"
        className="iai-link"
        disabled={blocked !== ''}
        title={blocked || trans('Send the same question again; this answer stays beside.')}
        onClick={() => void chats.ask({ text, attachments }, exchange)}
      >
        {trans('Ask again')}
      </button>
      {exchange.trace && (
        <button type="button" className="iai-link" onClick={() => void copy()}>
          {trans('Copy answer')}
        </button>
      )}
    </>
  );
}

function answerText({ trace }: Exchange): string {
  const turns = readTrace(trace)?.turns ?? [];
  return turns
    .map(({ text }) => text)
    .filter(Boolean)
    .join('\n\n');
}

function Versions({ earlier, later, version, versions }: Props) {
  const { chats, trans } = useChat();
  if (versions < 2) {
    return null;
  }
  return (
    <span className="iai-chat-versions" role="group" aria-label={trans('Versions')}>
      <IconButton
        icon="left"
        label={trans('Earlier version')}
        disabled={!earlier}
        onClick={() => void chats.show(earlier)}
      />
      <span>{trans('{at} of {count}', { at: version, count: versions })}</span>
      <IconButton
        icon="right"
        label={trans('Later version')}
        disabled={!later}
        onClick={() => void chats.show(later)}
      />
    </span>
  );
}

interface EditProps extends Pick<Props, 'exchange' | 'blocked'> {
  readonly onDone: () => void;
}

function Edit({ exchange, blocked, onDone }: EditProps) {
  const { chats, trans } = useChat();
  const [value, setValue] = useState<Question>({
    text: exchange.text,
    attachments: exchange.attachments
  });
  const send = async (): Promise<void> => {
    if (await chats.ask(value, exchange)) {
      onDone();
    }
  };
  return (
    <Composer
      label={trans('Edit the question')}
      placeholder={trans('Question')}
      value={value}
      onChange={setValue}
      blocked={blocked}
      send={trans('Send again')}
      onSend={() => void send()}
      onCancel={onDone}
      autoFocus
    />
  );
}

/** Something that is asked of people: whether a tool may be called, or anything else. */
function Asked({ wait, run }: { readonly wait: Wait; readonly run: string }) {
  const { chats, services, trans } = useChat();
  const [sent, setSent] = useState(false);
  const ask = askOf(wait);
  const send = async (answer: Parameters<typeof chats.answer>[1]): Promise<void> => {
    setSent(true);
    if (!(await chats.answer(run, answer))) {
      setSent(false);
    }
  };
  return ask ? (
    <AskCard
      ask={ask}
      run={run}
      trans={trans}
      busy={sent}
      onDecide={(decision: Decision) => void send(answerOf(ask, decision))}
      editor={props => <JsonEditor {...props} />}
    />
  ) : (
    <WaitCard
      wait={wait}
      run={run}
      services={services}
      busy={sent}
      onAnswer={answer => void send(answer)}
    />
  );
}

function JsonEditor(props: ArgumentsEditorProps) {
  const { services } = useChat();
  return (
    <Mount
      props={{ language: 'json' as const, ...props }}
      mount={(element, first) => services.mountEditor(element, first)}
    />
  );
}
