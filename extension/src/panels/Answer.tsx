/** What a step of a run waits for, and the buttons that answer. */
import type { Wait } from '../api/types';
import { AskCard } from '../canvas/agent/AskCard';
import { useDraft } from '../canvas/agent/drafts';
import { addressOf, answerOf, askOf, type Ask, type Decision } from '../core/asks';
import type { JsonObject } from '../core/flow';
import { lacking, SchemaForm } from './Form';
import { useHost } from './host';
import { useDoing } from './use';
import { waitText, when } from './words';

/** Holds the answer of a form that is no object. */
const ONLY = 'value';

interface Props {
  readonly run: string;
  readonly wait: Wait;
}

export function Answer({ run, wait }: Props) {
  const ask = askOf(wait);
  return ask ? <AgentAsk run={run} ask={ask} /> : <PlainAnswer run={run} wait={wait} />;
}

/** A question of an agent: may it call a tool? */
function AgentAsk({ run, ask }: { readonly run: string; readonly ask: Ask }) {
  const { client, trans } = useHost();
  const { busy, fault, go } = useDoing();
  const decide = (decision: Decision): void =>
    void go(() => client.answer(run, answerOf(ask, decision)));
  return (
    <section className="iai-Run-ask" aria-label={trans('Waiting')}>
      <p>
        <b>{ask.step}</b>
      </p>
      <AskCard ask={ask} run={run} trans={trans} busy={busy} onDecide={decide} />
      <Fault text={fault} />
    </section>
  );
}

/** What is written so far. */
interface Draft {
  readonly value: JsonObject;
  readonly reason: string;
}

const NOTHING: Draft = { value: {}, reason: '' };

function PlainAnswer({ run, wait }: Props) {
  const { client, trans, language } = useHost();
  const [{ value, reason }, keep] = useDraft(`${run} ${addressOf(wait)}`, NOTHING);
  const { busy, fault, go } = useDoing();
  const decides = wait.kind === 'approval';
  const timed = wait.kind === 'delay' || wait.kind === 'until';
  const whole = wait.form !== null && isObject(wait.form);
  const form = wait.form && (whole ? wait.form : only(wait.form, trans('Answer')));
  const send = (outcome: 'approved' | 'refused' | 'answered'): void => {
    const given = outcome === 'refused' || !form ? null : whole ? value : (value[ONLY] ?? null);
    void go(async () => {
      const refusal = form && outcome !== 'refused' ? lacking(trans, form, value) : '';
      if (refusal) {
        throw new Error(refusal);
      }
      await client.answer(run, { step: addressOf(wait), outcome, value: given, reason });
    });
  };
  return (
    <section className="iai-Run-wait" aria-label={trans('Waiting')}>
      <p>
        <b>{wait.step}</b> <bdi>{waitText(wait, trans, language)}</bdi>
      </p>
      {wait.due && (wait.message || wait.name) && (
        <p className="iai-Panel-quiet">
          {trans('Until {moment}', { moment: when(wait.due, language) })}
        </p>
      )}
      {form && (
        <SchemaForm
          schema={form}
          value={value}
          readOnly={busy}
          onChange={next => keep({ value: next })}
        />
      )}
      {decides && (
        <label className="iai-Panel-field">
          <span>{trans('Reason')}</span>
          <input value={reason} onChange={event => keep({ reason: event.currentTarget.value })} />
        </label>
      )}
      {!timed && (
        <div className="iai-Panel-row" role="group" aria-label={trans('Answer')}>
          <button
            type="button"
            disabled={busy}
            onClick={() => send(decides ? 'approved' : 'answered')}
          >
            {decides ? trans('Approve') : trans('Send')}
          </button>
          {decides && (
            <button type="button" disabled={busy} onClick={() => send('refused')}>
              {trans('Refuse')}
            </button>
          )}
        </div>
      )}
      <Fault text={fault} />
    </section>
  );
}

export function Fault({ text }: { readonly text: string }) {
  return (
    <p className="iai-Panel-fault" role="alert" hidden={!text}>
      {text}
    </p>
  );
}

function isObject(form: JsonObject): boolean {
  return form.type === 'object' || 'properties' in form;
}

function only(form: JsonObject, title: string): JsonObject {
  return { type: 'object', properties: { [ONLY]: { title, ...form } }, required: [ONLY] };
}
