/** Something that a step waits for people to say: what is asked, a form for it, and buttons. */
import { useId } from 'react';
import { addressOf, waitSaid, type Answer } from '../../core/asks';
import { moment } from '../../core/format';
import type { Json, JsonObject } from '../../core/flow';
import type { Wait } from '../../core/protocol';
import type { Services } from '../../core/services';
import { Mount } from '../chrome/Mounted';
import { useDraft } from './drafts';

const NOTHING_WIRED = {};
/** Holds the answer of a form that is no object. */
const ONLY = 'value';

/** What a host lends to whoever asks for an answer. */
export type FormServices = Pick<Services, 'trans' | 'language' | 'mountForm'>;

interface Props {
  readonly wait: Wait;
  /** The run that waits: what is half-written is kept for it. */
  readonly run: string;
  readonly services: FormServices;
  /** Whether an answer is on its way. */
  readonly busy: boolean;
  onAnswer(answer: Answer): void;
}

/** What is written so far. */
interface Draft {
  readonly value: JsonObject;
  readonly reason: string;
}

const NOTHING: Draft = { value: {}, reason: '' };

export function WaitCard({ wait, run, services, busy, onAnswer }: Props) {
  const { trans } = services;
  const [{ value, reason }, keep] = useDraft(`${run} ${addressOf(wait)}`, NOTHING);
  const question = useId();
  const send = (outcome: Answer['outcome']): void => {
    const answer = wait.form === null ? null : isObject(wait.form) ? value : (value[ONLY] ?? null);
    onAnswer({ step: addressOf(wait), outcome, value: answer, reason });
  };
  const decides = wait.kind === 'approval';
  const timed = wait.kind === 'delay' || wait.kind === 'until';
  return (
    <section
      className="iai-pad iai-waiting"
      aria-label={trans('Waiting')}
      aria-describedby={question}
      tabIndex={-1}
    >
      <p id={question}>
        <bdi>{waitSaid(trans, wait)}</bdi>
      </p>
      {wait.due !== null && (
        <p className="iai-muted">
          {trans('Until {moment}', { moment: moment(wait.due, services.language) })}
        </p>
      )}
      {wait.form && (
        <Mount
          props={{
            schema: isObject(wait.form) ? wait.form : only(wait.form, trans('Answer')),
            value,
            wired: NOTHING_WIRED,
            readOnly: busy,
            problems: [],
            secrets: [],
            names: [],
            onChange: (field: string, given: Json | undefined) =>
              keep({ value: changed(value, field, given) })
          }}
          mount={(element, first) => services.mountForm(element, first)}
        />
      )}
      {decides && (
        <label className="iai-field">
          <span>{trans('Reason')}</span>
          <input
            className="iai-input"
            value={reason}
            readOnly={busy}
            onChange={event => keep({ reason: event.currentTarget.value })}
          />
        </label>
      )}
      {!timed && (
        <div className="iai-row" role="group" aria-label={trans('Answer')}>
          <button
            type="button"
            className="iai-button iai-primary"
            disabled={busy}
            onClick={() => send(decides ? 'approved' : 'answered')}
          >
            {decides ? trans('Approve') : trans('Send')}
          </button>
          {decides && (
            <button
              type="button"
              className="iai-button"
              disabled={busy}
              onClick={() => send('refused')}
            >
              {trans('Refuse')}
            </button>
          )}
        </div>
      )}
    </section>
  );
}

function isObject(form: JsonObject): boolean {
  return form.type === 'object' || 'properties' in form;
}

function only(form: JsonObject, title: string): JsonObject {
  return { type: 'object', properties: { [ONLY]: { title, ...form } }, required: [ONLY] };
}

function changed(value: JsonObject, field: string, given: Json | undefined): JsonObject {
  const rest = Object.entries(value).filter(([name]) => name !== field);
  const all = given === undefined || given === '' ? rest : [...rest, [field, given] as const];
  return Object.fromEntries(all) as JsonObject;
}
