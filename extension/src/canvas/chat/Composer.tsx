/** Where a question is written, with what goes with it. */
import {
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
  type ClipboardEvent,
  type DragEvent,
  type KeyboardEvent
} from 'react';
import type { Attachment, Question } from '../../core/chat';
import { AttachButtons } from './AttachButtons';
import { Attached } from './Attached';
import { readPictures } from './pictures';
import { useChat } from './context';

/** Bytes of a question. */
const LONGEST = 100_000;

interface Props {
  readonly label: string;
  readonly placeholder: string;
  readonly value: Question;
  readonly onChange: (value: Question) => void;
  /** Why nothing can be sent now; "": it can. */
  readonly blocked: string;
  readonly send: string;
  readonly onSend: () => void;
  readonly onCancel?: () => void;
  /** Ends what goes on; while it does, it stands in place of the button that sends. */
  readonly onStop?: () => void;
  /** Whether it takes the focus when it appears. */
  readonly autoFocus?: boolean;
}

export function Composer(props: Props) {
  const { label, placeholder, value, onChange, blocked, send, onSend, onCancel, onStop } = props;
  const { chats, trans } = useChat();
  const { text, attachments } = value;
  const [fault, setFault] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const now = useRef(value);
  const said = useId();
  useLayoutEffect(() => {
    now.current = value;
  }, [value]);
  useHeight(field, text);
  useFirstFocus(field, props.autoFocus ?? false);
  const isTooLong = text.length > LONGEST / 4 && new TextEncoder().encode(text).length > LONGEST;
  const tooLong = isTooLong
    ? trans('A question has at most 100 KB; attach a file of the workspace instead.')
    : '';
  const canSend = text.trim() !== '' && blocked === '' && tooLong === '';
  const change = (next: Partial<Question>): void => {
    now.current = { ...now.current, ...next };
    onChange(now.current);
  };
  const attach = (more: readonly Attachment[], problem = ''): void => {
    setFault(problem);
    change({ attachments: withNew(now.current.attachments, more) });
    field.current?.focus();
  };
  const take = async (files: readonly File[]): Promise<void> => {
    const { place } = chats;
    const { images, fault: problem } = await readPictures(files, attachments, trans);
    if (chats.place === place && field.current) {
      attach(images, problem);
    }
  };
  const drop = useDrop(files => void take(files));
  const onPaste = (event: ClipboardEvent): void => {
    const files = [...event.clipboardData.files];
    if (files.length > 0) {
      event.preventDefault();
      void take(files);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      if (canSend) {
        onSend();
      }
    } else if (event.key === 'Escape' && onCancel) {
      event.preventDefault();
      event.stopPropagation();
      onCancel();
    }
  };
  const problem = tooLong || fault;
  const hint = blocked && text.trim() !== '' ? blocked : '';
  return (
    <form
      className="iai-chat-composer"
      {...drop}
      onSubmit={event => {
        event.preventDefault();
        field.current?.focus();
        if (canSend) {
          onSend();
        }
      }}
    >
      <Attached
        attachments={attachments}
        onRemove={at => {
          change({ attachments: attachments.filter((_, index) => index !== at) });
          field.current?.focus();
        }}
      />
      <textarea
        ref={field}
        className="iai-input"
        rows={1}
        aria-label={label}
        aria-describedby={said}
        placeholder={placeholder}
        value={text}
        onChange={event => change({ text: event.currentTarget.value })}
        onPaste={onPaste}
        onKeyDown={onKeyDown}
      />
      {problem && (
        <p className="iai-fault" role="alert">
          {problem}
        </p>
      )}
      <div className="iai-chat-composer-foot">
        <AttachButtons onAttach={one => attach([one])} onFiles={files => void take(files)} />
        <span className="iai-muted iai-stretch" id={said}>
          {hint}
        </span>
        {onCancel && (
          <button type="button" className="iai-button" onClick={onCancel}>
            {trans('Cancel')}
          </button>
        )}
        {onStop ? (
          <button
            type="button"
            className="iai-button"
            onClick={() => {
              field.current?.focus();
              onStop();
            }}
          >
            {trans('Stop')}
          </button>
        ) : (
          <button
            type="submit"
            className="iai-button iai-primary"
            aria-disabled={!canSend}
            title={blocked || undefined}
          >
            {send}
          </button>
        )}
      </div>
    </form>
  );
}

/** Attachments with new ones, none of a table or a file twice. */
function withNew(
  attached: readonly Attachment[],
  more: readonly Attachment[]
): readonly Attachment[] {
  const known = new Set(attached.map(one => JSON.stringify(one)));
  return [...attached, ...more.filter(one => !known.has(JSON.stringify(one)))];
}

/** A field as high as its text, up to what its style allows. */
function useHeight(field: { readonly current: HTMLTextAreaElement | null }, text: string): void {
  useLayoutEffect(() => {
    const { current } = field;
    if (current) {
      current.style.setProperty('height', 'auto');
      current.style.setProperty('height', `${current.scrollHeight + 2}px`);
    }
  }, [field, text]);
}

function useFirstFocus(
  field: { readonly current: HTMLTextAreaElement | null },
  isWanted: boolean
): void {
  const first = useRef(isWanted);
  useEffect(() => {
    if (first.current && field.current) {
      const { length } = field.current.value;
      field.current.focus();
      field.current.setSelectionRange(length, length);
    }
  }, [field]);
}

function useDrop(onFiles: (files: readonly File[]) => void) {
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer.types.includes('Files');
  return {
    onDragOver: (event: DragEvent): void => {
      if (hasFiles(event)) {
        event.preventDefault();
        event.stopPropagation();
      }
    },
    onDrop: (event: DragEvent): void => {
      if (hasFiles(event)) {
        event.preventDefault();
        event.stopPropagation();
        onFiles([...event.dataTransfer.files]);
      }
    }
  };
}
