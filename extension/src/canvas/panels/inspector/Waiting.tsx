/** What the selected node waits for, and the buttons that answer. */
import { useState } from 'react';
import { moment } from '../../../core/format';
import type { Json, JsonObject } from '../../../core/flow';
import { addressOf, askOf, asksOf, waitsOf } from '../../../core/asks';
import type { Wait } from '../../../core/protocol';
import { Asks } from '../../agent';
import { Form } from '../../chrome/Mounted';
import { useTrans } from '../../chrome/use';
import { useController, useNodePart, useRuns } from '../../hooks';

const NOTHING_WIRED = {};
/** Holds the answer of a form that is no object. */
const ONLY = 'value';

export function Waiting({ path }: { readonly path: string }) {
  const runs = useRuns(useController());
  const wait = useNodePart(runs, path, state => state.wait);
  const more_waits = useNodePart(runs, path, state => state.more_waits);
  const asks = asksOf({ wait, more_waits });
  const others = waitsOf({ wait, more_waits }).filter(other => askOf(other) === null);
  return (
    <>
      {asks.length > 0 && (
        <div className="iai-pad">
          <Asks asks={asks} />
        </div>
      )}
      {others.map(other => (
        <Answer key={`${other.step} ${other.key}`} wait={other} />
      ))}
    </>
  );
}

function Answer({ wait }: { readonly wait: Wait }) {
  const controller = useController();
  const trans = useTrans();
  const [value, setValue] = useState<JsonObject>({});
  const [reason, setReason] = useState('');
  const [sent, setSent] = useState(false);
  const send = async (outcome: 'approved' | 'refused' | 'answered'): Promise<void> => {
    setSent(true);
    const link = controller.link.get();
    const answer = wait.form === null ? null : isObject(wait.form) ? value : (value[ONLY] ?? null);
    const given = { step: addressOf(wait), outcome, value: answer, reason };
    const done = link && (await controller.attempt(() => link.request('answer', given)));
    if (!done) {
      setSent(false);
    }
  };
  const decides = wait.kind === 'approval';
  const timed = wait.kind === 'delay' || wait.kind === 'until';
  return (
    <section className="iai-pad iai-waiting" aria-label={trans('Waiting')}>
      <p>
        <bdi>{said(wait, trans)}</bdi>
      </p>
      {wait.due !== null && (
        <p className="iai-muted">
          {trans('Until {moment}', { moment: moment(wait.due, controller.services.language) })}
        </p>
      )}
      {wait.form && (
        <Form
          schema={isObject(wait.form) ? wait.form : only(wait.form, trans('Answer'))}
          value={value}
          wired={NOTHING_WIRED}
          readOnly={sent}
          problems={[]}
          secrets={[]}
          names={[]}
          onChange={(field, given: Json | undefined) => setValue(changed(value, field, given))}
        />
      )}
      {decides && (
        <label className="iai-field">
          <span>{trans('Reason')}</span>
          <input
            className="iai-input"
            value={reason}
            readOnly={sent}
            onChange={event => setReason(event.currentTarget.value)}
          />
        </label>
      )}
      {!timed && (
        <div className="iai-row" role="group" aria-label={trans('Answer')}>
          <button
            type="button"
            className="iai-button iai-primary"
            disabled={sent}
            onClick={() => void send(decides ? 'approved' : 'answered')}
          >
            {decides ? trans('Approve') : trans('Send')}
          </button>
          {decides && (
            <button
              type="button"
              className="iai-button"
              disabled={sent}
              onClick={() => void send('refused')}
            >
              {trans('Refuse')}
            </button>
          )}
        </div>
      )}
    </section>
  );
}

function said(wait: Wait, trans: ReturnType<typeof useTrans>): string {
  if (wait.message) {
    return wait.message;
  }
  return wait.name ? trans('Waits for {name}', { name: wait.name }) : trans('Waiting');
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
