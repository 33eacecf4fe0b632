/** A question of an agent: may it call this tool, so or otherwise? */
import { useLayoutEffect, useId, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { addressOf, readArguments, type Ask, type Decision } from '../../core/asks';
import { inShort } from '../../core/agentTrace';
import type { Json, JsonObject } from '../../core/flow';
import type { Trans } from '../../core/i18n';
import { shorten, visible } from '../../core/text';
import { LogView } from '../outputs/LogView';
import { CallCode, hasCode } from './CallCode';
import { useDraft } from './drafts';

export interface ArgumentsEditorProps {
  readonly value: string;
  readonly label: string;
  readonly readOnly: boolean;
  onChange(value: string): void;
  /** The person is done: to keep it, or not. */
  onDone(keep: boolean): void;
}

interface Props {
  readonly ask: Ask;
  /** The run that asks: what is half-written is kept for it. */
  readonly run: string;
  readonly trans: Trans;
  /** Whether an answer is on its way. */
  readonly busy: boolean;
  onDecide(decision: Decision): void;
  /** On a small card: takes the person to where arguments can be changed. */
  readonly onOpen?: (from: Element) => void;
  /** Draws the editor of JSON; a plain field when left out. */
  readonly editor?: (props: ArgumentsEditorProps) => ReactNode;
}

/** What is written so far. */
interface Draft {
  readonly mode: 'ask' | 'change' | 'refuse';
  /** The arguments as JSON. */
  readonly text: string;
  readonly reason: string;
}

const NAME = 120;
/** Characters of arguments on a small card. */
const LINE = 240;

export function AskCard(props: Props) {
  const { ask, run, trans, onOpen } = props;
  const place = onOpen ? 'card' : 'whole';
  const [draft, keep] = useDraft<Draft>(`${place} ${run} ${addressOf(ask)}`, firstDraft(ask));
  const [isOpened, setOpened] = useState(false);
  const title = useId();
  const open = (mode: Draft['mode']): void => {
    setOpened(true);
    keep({ mode });
  };
  const part = {
    ...props,
    draft,
    keep,
    takesFocus: isOpened,
    onClose: () => keep({ mode: 'ask' }),
    onCancel: () => keep(firstDraft(ask))
  };
  const { mode } = draft;
  return (
    <div className="iai-ask" role="group" aria-labelledby={title} tabIndex={-1}>
      <p className="iai-ask-title" id={title}>
        {trans('May the agent call {tool}?', { tool: visible(shorten(ask.tool, NAME)) })}
      </p>
      <Risks ask={ask} trans={trans} />
      {ask.why && <p className="iai-muted">{visible(ask.why)}</p>}
      {mode !== 'change' && (
        <Arguments tool={ask.tool} given={ask.arguments} trans={trans} brief={!!onOpen} />
      )}
      {mode === 'ask' && <Choices {...props} onMode={open} />}
      {mode === 'change' && <Change {...part} />}
      {mode === 'refuse' && <Refuse {...part} />}
    </div>
  );
}

function firstDraft(ask: Ask): Draft {
  return { mode: 'ask', text: JSON.stringify(ask.arguments, null, 2), reason: '' };
}

/** Where the tool comes from and what it may do. */
function Risks({ ask: { source, effects, sends }, trans }: Pick<Props, 'ask' | 'trans'>) {
  if (!source && !sends && effects !== 'write') {
    return null;
  }
  return (
    <p className="iai-ask-risks">
      {source && <bdi className="iai-muted">{visible(shorten(source, NAME))}</bdi>}
      {effects === 'write' && <span className="iai-badge">{trans('changes things')}</span>}
      {sends && <span className="iai-badge">{trans('may send data out')}</span>}
    </p>
  );
}

interface ArgumentsProps {
  readonly tool: string;
  readonly given: JsonObject;
  readonly trans: Trans;
  readonly brief: boolean;
}

function Arguments({ tool, given, trans, brief }: ArgumentsProps) {
  if (Object.keys(given).length === 0) {
    return <p className="iai-muted">{trans('Without arguments')}</p>;
  }
  if (hasCode(given)) {
    return <CallCode {...{ tool, given, trans }} />;
  }
  const line = inShort(given, LINE);
  // What a line would leave out may be what matters.
  const fits = !line.endsWith('…') && !Object.values(given).some(isLong);
  return brief && fits ? (
    <p className="iai-ask-arguments">{visible(line)}</p>
  ) : (
    <LogView text={JSON.stringify(given, null, 2)} label={trans('Arguments')} inner />
  );
}

function isLong(value: Json): boolean {
  return typeof value === 'string' && (value.includes('\n') || value.length > LINE);
}

interface ChoicesProps extends Props {
  onMode(mode: Draft['mode']): void;
}

function Choices({ trans, busy, onDecide, onOpen, onMode }: ChoicesProps) {
  return (
    <div className="iai-row" role="group" aria-label={trans('Answer')}>
      <button
        type="button"
        className="iai-button iai-primary"
        disabled={busy}
        onClick={() => onDecide({ decision: 'allow' })}
      >
        {trans('Allow')}
      </button>
      <button
        type="button"
        className="iai-button"
        disabled={busy}
        onClick={event => (onOpen ? onOpen(event.currentTarget) : onMode('change'))}
      >
        {trans('Change…')}
      </button>
      <button type="button" className="iai-button" disabled={busy} onClick={() => onMode('refuse')}>
        {trans('Refuse…')}
      </button>
    </div>
  );
}

interface PartProps extends Props {
  readonly draft: Draft;
  keep(change: Partial<Draft>): void;
  /** Whether it was opened just now, and not found as it was left. */
  readonly takesFocus: boolean;
  /** Closes it; what is written stays for the next time. */
  onClose(): void;
  /** Closes it and forgets what is written. */
  onCancel(): void;
}

function Change({ trans, busy, editor, onDecide, ...part }: PartProps) {
  const { draft, keep, takesFocus, onClose, onCancel } = part;
  const { text } = draft;
  const [fault, setFault] = useState('');
  const place = useFirstField<HTMLDivElement>(takesFocus);
  const setText = (next: string): void => keep({ text: next });
  const send = (): void => {
    const read = readArguments(trans, text);
    if ('fault' in read) {
      setFault(read.fault);
    } else {
      onDecide({ decision: 'change', arguments: read.value });
    }
  };
  const label = trans('Arguments as JSON');
  const onDone = (sends: boolean): void => (sends ? send() : onClose());
  const field = { value: text, label, readOnly: busy, onChange: setText, onDone };
  return (
    <div className="iai-ask-part" ref={place}>
      {editor ? editor(field) : <PlainEditor {...field} />}
      {fault && (
        <p className="iai-fault" role="alert">
          {fault}
        </p>
      )}
      <div className="iai-row">
        <button type="button" className="iai-button iai-primary" disabled={busy} onClick={send}>
          {trans('Allow with these arguments')}
        </button>
        <Cancel {...{ trans, busy, onCancel }} />
      </div>
    </div>
  );
}

function PlainEditor({ value, label, readOnly, onChange, onDone }: ArgumentsEditorProps) {
  return (
    <textarea
      className="iai-input iai-ask-json"
      aria-label={label}
      value={value}
      readOnly={readOnly}
      rows={6}
      spellCheck={false}
      onChange={event => onChange(event.currentTarget.value)}
      onKeyDown={event => {
        if (event.key === 'Escape' || (event.key === 'Enter' && (event.ctrlKey || event.metaKey))) {
          event.preventDefault();
          event.stopPropagation();
          onDone(event.key === 'Enter');
        }
      }}
    />
  );
}

function Refuse({ trans, busy, onDecide, ...part }: PartProps) {
  const { draft, keep, takesFocus, onClose, onCancel } = part;
  const { reason } = draft;
  const place = useFirstField<HTMLFormElement>(takesFocus);
  const send = (event: FormEvent): void => {
    event.preventDefault();
    onDecide({ decision: 'refuse', reason });
  };
  return (
    <form className="iai-ask-part" ref={place} onSubmit={send}>
      <label className="iai-field">
        <span>{trans('Reason, which the agent is told')}</span>
        <input
          className="iai-input"
          value={reason}
          readOnly={busy}
          onChange={event => keep({ reason: event.currentTarget.value })}
          onKeyDown={event => {
            if (event.key === 'Escape') {
              event.preventDefault();
              event.stopPropagation();
              onClose();
            }
          }}
        />
      </label>
      <div className="iai-row">
        <button type="submit" className="iai-button iai-primary" disabled={busy}>
          {trans('Refuse')}
        </button>
        <Cancel {...{ trans, busy, onCancel }} />
      </div>
    </form>
  );
}

function Cancel({ trans, busy, onCancel }: Pick<PartProps, 'trans' | 'busy' | 'onCancel'>) {
  return (
    <button type="button" className="iai-button" disabled={busy} onClick={onCancel}>
      {trans('Cancel')}
    </button>
  );
}

/** Puts the focus into the first field of what has just opened. */
function useFirstField<T extends HTMLElement>(takesFocus: boolean) {
  const place = useRef<T>(null);
  const isWanted = useRef(takesFocus);
  useLayoutEffect(() => {
    if (!isWanted.current) {
      return undefined;
    }
    const field = (): HTMLElement | null | undefined =>
      place.current?.querySelector('textarea, input, [contenteditable="true"]');
    const found = field();
    if (found) {
      found.focus(); // before the next key
      return undefined;
    }
    // an editor of the host's has its field a moment later
    const waiting = requestAnimationFrame(() => field()?.focus());
    return () => cancelAnimationFrame(waiting);
  }, []);
  return place;
}
