/** A new version of a memory: what it says, and since when. */
import { useEffect, useId, useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import { pressed } from '../core/keys';
import { visible } from '../core/text';
import { useShared, useStore } from './context';
import { Field } from './Filters';
import { fieldOf, momentOf, tagsOf } from './limits';
import { KINDS, type Changes, type Item, type Kind } from './types';
import { kindHelp, kindText } from './words';

/** What a person has written. */
export interface Draft {
  readonly text: string;
  readonly subject: string;
  readonly kind: Kind;
  readonly tags: string;
  /** Whether it was never so, instead of having changed. */
  readonly isCorrection: boolean;
  /** Since when it has changed; "": now. */
  readonly since: string;
}

export function draftOf(item: Item): Draft {
  return {
    text: item.text,
    subject: item.subject,
    kind: item.kind,
    tags: item.tags.join(', '),
    isCorrection: false,
    since: ''
  };
}

/** What of a draft is different. */
export function changesOf(item: Item, draft: Draft): Changes {
  const from = draft.isCorrection ? item.valid_from : momentOf(draft.since);
  const tags = tagsOf(draft.tags);
  return {
    ...(draft.text !== item.text && !item.is_cut ? { text: draft.text } : {}),
    ...(draft.subject.trim() !== item.subject ? { subject: draft.subject.trim() } : {}),
    ...(draft.kind !== item.kind ? { kind: draft.kind } : {}),
    ...(tags.join('\n') !== item.tags.join('\n') ? { tags } : {}),
    ...(from !== null ? { valid_from: from } : {})
  };
}

export function EditForm({ item, busy }: { readonly item: Item; readonly busy: boolean }) {
  const { model, trans } = useShared();
  const gone = useStore(model.line.gone);
  const [draft, setDraft] = useState(() => draftOf(item));
  const text = useRef<HTMLTextAreaElement>(null);
  useEffect(() => text.current?.focus(), []);
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const save = (event?: FormEvent): void => {
    event?.preventDefault();
    if (!busy && !gone) {
      void model.edit(changesOf(item, draft));
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (pressed('Mod+Enter', event.nativeEvent)) {
      event.preventDefault();
      save();
    }
  };
  return (
    <form className="iai-memory-edit" onSubmit={save} onKeyDown={onKeyDown}>
      <Field label={trans('Text')}>
        {id => (
          <textarea
            id={id}
            ref={text}
            rows={5}
            value={draft.text}
            readOnly={item.is_cut}
            onChange={event => change({ text: event.target.value })}
          />
        )}
      </Field>
      {item.is_cut && (
        <p className="iai-memory-quiet">
          {trans('This text is too long to be edited here: memory.supersede(id, text) can.')}
        </p>
      )}
      {visible(draft.text) !== draft.text && (
        <p className="iai-memory-quiet">
          {trans('The text holds characters that cannot be seen here.')}
        </p>
      )}
      <div className="iai-memory-fields">
        <Field label={trans('About')}>
          {id => (
            <input
              id={id}
              value={draft.subject}
              onChange={event => change({ subject: event.target.value })}
            />
          )}
        </Field>
        <Field label={trans('Kind')}>
          {id => (
            <select
              id={id}
              value={draft.kind}
              onChange={event => change({ kind: event.target.value as Kind })}
            >
              {KINDS.map(kind => (
                <option key={kind} value={kind}>
                  {`${kindText(kind, trans)}: ${kindHelp(kind, trans)}`}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={trans('Tags, between commas')}>
          {id => (
            <input
              id={id}
              value={draft.tags}
              onChange={event => change({ tags: event.target.value })}
            />
          )}
        </Field>
      </div>
      <Since item={item} draft={draft} onChange={change} />
      <div className="iai-memory-row-of">
        <button type="submit" className="iai-memory-button" data-primary disabled={busy || gone}>
          {busy ? trans('Saving…') : trans('Save')}
        </button>
        <button type="button" className="iai-memory-button" onClick={() => model.begin('')}>
          {trans('Cancel')}
        </button>
      </div>
    </form>
  );
}

interface SinceProps {
  readonly item: Item;
  readonly draft: Draft;
  onChange(part: Partial<Draft>): void;
}

/** Whether the world has changed, or the memory was wrong: the past is told differently then. */
function Since({ item, draft, onChange }: SinceProps) {
  const { trans } = useShared();
  const group = useId();
  return (
    <fieldset className="iai-memory-since">
      <legend>{trans('Since when is it so?')}</legend>
      <label className="iai-memory-check">
        <input
          type="radio"
          name={group}
          checked={!draft.isCorrection}
          onChange={() => onChange({ isCorrection: false })}
        />
        {trans('It has changed; until then, the old text was right')}
      </label>
      <Field label={trans('Since (left empty: now)')}>
        {id => (
          <input
            id={id}
            type="datetime-local"
            step={1}
            min={fieldOf(item.valid_from)}
            disabled={draft.isCorrection}
            value={draft.since}
            onChange={event => onChange({ since: event.target.value })}
          />
        )}
      </Field>
      <label className="iai-memory-check">
        <input
          type="radio"
          name={group}
          checked={draft.isCorrection}
          onChange={() => onChange({ isCorrection: true })}
        />
        {trans('The old text was a mistake; it was never right')}
      </label>
    </fieldset>
  );
}
