/** How two runs differ: facts, inputs, the flow, steps, and what output notebooks show. */
import { useState, type ReactNode } from 'react';
import type {
  Difference,
  FlowChange,
  NotebookDifference,
  RunDiff,
  RunSummary,
  StepDifference
} from '../api/types';
import { Check } from '../canvas/chrome/Check';
import { stateText } from '../canvas/chrome/words';
import { duration } from '../core/format';
import type { Json } from '../core/flow';
import type { Trans } from '../core/i18n';
import { Fault } from './Answer';
import { useHost } from './host';
import { useAsked } from './use';
import { when } from './words';

/** How many runs are offered. */
const OFFERED = 200;

export function Compare({ run }: { readonly run: RunSummary }) {
  const { client, trans } = useHost();
  const [isAny, setAny] = useState(false);
  const [chosen, setChosen] = useState('');
  const flow = isAny ? undefined : run.flow;
  const { result, error } = useAsked(() => client.runs({ flow, limit: OFFERED }), flow ?? '');
  const others = (result ?? []).filter(({ id }) => id !== run.id);
  const earlier = others.find(({ id }) => id < run.id) ?? others[0];
  const other = others.find(({ id }) => id === chosen) ?? earlier;
  return (
    <section className="iai-Compare" aria-label={trans('Compare two runs')}>
      <h2>{trans('Compare two runs')}</h2>
      <div className="iai-Panel-row">
        <Choice runs={others} chosen={other?.id ?? ''} onChoose={setChosen} />
        <Check
          className="iai-Panel-check"
          label={trans('Runs of other flows too')}
          checked={isAny}
          onChecked={setAny}
        />
      </div>
      <Fault text={error} />
      {result && !other && (
        <p className="iai-Panel-quiet">{trans('There is no other run to compare with.')}</p>
      )}
      {other && <Found key={`${other.id} ${run.id}`} sides={sorted(run, other)} />}
    </section>
  );
}

interface ChoiceProps {
  readonly runs: readonly RunSummary[];
  readonly chosen: string;
  onChoose(id: string): void;
}

function Choice({ runs, chosen, onChoose }: ChoiceProps) {
  const { trans } = useHost();
  const label = useLabel();
  return (
    <label className="iai-Panel-field">
      <span>{trans('Compare with')}</span>
      <select value={chosen} onChange={event => onChoose(event.currentTarget.value)}>
        {runs.map(run => (
          <option key={run.id} value={run.id}>
            {label(run)}
          </option>
        ))}
      </select>
    </label>
  );
}

function useLabel(): (run: RunSummary) => string {
  const { trans, language } = useHost();
  return ({ flow, state, started_at, created_at, id }) =>
    [when(started_at ?? created_at, language), stateText(trans, state), flow, id.slice(-8)].join(
      ' · '
    );
}

type Sides = readonly [old: RunSummary, next: RunSummary];

/** The earlier run first: ids rise with time. */
function sorted(run: RunSummary, other: RunSummary): Sides {
  return other.id < run.id ? [other, run] : [run, other];
}

function Found({ sides: [old, next] }: { readonly sides: Sides }) {
  const { client, trans } = useHost();
  const label = useLabel();
  const key = [old, next].map(({ id, state }) => `${id} ${state}`).join(' ');
  const { result: diff, error } = useAsked(() => client.diff(old.id, next.id), key);
  return (
    <>
      <dl className="iai-Compare-sides">
        <dt>{trans('Before')}</dt>
        <dd>{label(old)}</dd>
        <dt>{trans('After')}</dt>
        <dd>{label(next)}</dd>
      </dl>
      <Fault text={error} />
      {!diff && !error && <p className="iai-Panel-quiet">{trans('Loading…')}</p>}
      {diff && <Parts diff={diff} />}
    </>
  );
}

function Parts({ diff }: { readonly diff: RunDiff }) {
  const { trans } = useHost();
  const { facts, inputs, definition, steps, notebooks, note } = diff;
  const changed = notebooks.some(({ text }) => text !== '');
  const same = ![facts, inputs, definition, steps].some(part => part.length > 0) && !changed;
  return (
    <>
      {same && <p role="status">{trans('The runs do not differ.')}</p>}
      <Values
        title={trans('Overall')}
        rows={facts.map(fact => [factText(fact, trans), spelled(fact, trans)])}
      />
      <Values title={trans('Inputs')} rows={inputs.map(input => [input.name, input])} />
      <Values title={trans('Flow')} rows={definition.map(change => [changeText(change), change])} />
      {steps.length > 0 && <StepTable steps={steps} />}
      {notebooks.map(notebook => (
        <NotebookPart key={notebook.step} notebook={notebook} />
      ))}
      {note && <p className="iai-Panel-quiet">{note}</p>}
    </>
  );
}

interface ValuesProps {
  readonly title: string;
  readonly rows: readonly (readonly [string, { readonly old: Json; readonly new: Json }])[];
}

function Values({ title, rows }: ValuesProps) {
  const { trans } = useHost();
  if (rows.length === 0) {
    return null;
  }
  return (
    <Table title={title} heads={[trans('What'), trans('Before'), trans('After')]}>
      {rows.map(([name, values], index) => (
        <tr key={index}>
          <th scope="row">{name}</th>
          <td>
            <Value value={values.old} />
          </td>
          <td>
            <Value value={values.new} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Value({ value }: { readonly value: Json }) {
  if (value === null) {
    return <span className="iai-Panel-quiet">—</span>;
  }
  return <pre>{typeof value === 'string' ? value : JSON.stringify(value, null, 2)}</pre>;
}

function StepTable({ steps }: { readonly steps: readonly StepDifference[] }) {
  const { trans } = useHost();
  const heads = [trans('Step'), trans('Before'), trans('After'), trans('Differs')];
  return (
    <Table title={trans('Steps')} heads={heads}>
      {steps.map(step => (
        <tr key={step.step}>
          <th scope="row">{step.step}</th>
          <td>{stepText(step.old, step.old_s, trans)}</td>
          <td>{stepText(step.new, step.new_s, trans)}</td>
          <td>
            <pre>
              {[step.outputs.join(', '), step.old_error, step.new_error].filter(Boolean).join('\n')}
            </pre>
          </td>
        </tr>
      ))}
    </Table>
  );
}

interface TableProps {
  readonly title: string;
  readonly heads: readonly string[];
  readonly children: ReactNode;
}

function Table({ title, heads, children }: TableProps) {
  return (
    <>
      <h3>{title}</h3>
      <table aria-label={title}>
        <thead>
          <tr>
            {heads.map(head => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </>
  );
}

const CHANGES: Readonly<Record<string, string>> = { '+': 'added', '-': 'removed', '#': 'place' };

function NotebookPart({ notebook }: { readonly notebook: NotebookDifference }) {
  const { trans } = useHost();
  const title = trans('Output notebook of {step}', { step: notebook.step });
  return (
    <>
      <h3>{title}</h3>
      {notebook.text === '' ? (
        <p className="iai-Panel-quiet">{trans('Both show the same.')}</p>
      ) : (
        <pre className="iai-Compare-text" role="group" tabIndex={0} aria-label={title}>
          {linesOf(notebook).map((line, index) => (
            <span key={index} data-change={CHANGES[line.charAt(0)]}>
              {`${line}\n`}
            </span>
          ))}
        </pre>
      )}
    </>
  );
}

/** The lines of a difference without the heads of its two sides, which stand above. */
export function linesOf({ text }: NotebookDifference): readonly string[] {
  const lines = text.trimEnd().split('\n');
  const first = lines.findIndex(line => line.startsWith('## '));
  return lines.slice(Math.max(first, 0));
}

function stepText(state: StepDifference['old'], seconds: number | null, trans: Trans): string {
  if (state === null) {
    return trans('No such step');
  }
  return [stateText(trans, state), seconds === null ? '' : duration(seconds)]
    .filter(Boolean)
    .join(' · ');
}

/** A fact with its states in the reader's words. */
function spelled(fact: Difference, trans: Trans): Difference {
  const said = (value: Json): Json =>
    fact.name === 'state' ? stateText(trans, value as RunSummary['state']) : value;
  return { ...fact, old: said(fact.old), new: said(fact.new) };
}

function factText({ name }: Difference, trans: Trans): string {
  const words: Readonly<Record<string, string>> = {
    flow: trans('Flow'),
    version: trans('Version'),
    state: trans('State'),
    error: trans('Error')
  };
  return words[name] ?? name;
}

/** Such as `node fetch config.url`, as programs name it. */
function changeText({ what, name, field }: FlowChange): string {
  return [what, name, field].filter(Boolean).join(' ');
}
