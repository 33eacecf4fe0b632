/** What is asked before a schedule is saved, with its next ten times. */
import { useEffect, useState } from 'react';
import type { Catchup, NewSchedule, Overlap, Schedule } from '../api/types';
import type { JsonObject } from '../core/flow';
import { Fault } from './Answer';
import { textsOfBudget } from './Budget';
import { hasFields, lacking } from './Form';
import { useHost } from './host';
import { Moments } from './Moments';
import {
  Inputs,
  NO_OPTIONS,
  OptionFields,
  readOptions,
  unreadable,
  type OptionTexts,
  type Submission
} from './QueueForm';
import { browserZone, draftOf, freshDraft, whenOf, type Draft, type Kind } from './rule';
import { Text } from './Text';
import { useAsked, useFirstField, useSettled } from './use';

interface Props {
  readonly path: string;
  /** What is changed; null: it is new. */
  readonly schedule: Schedule | null;
  readonly note: string;
  readonly submission: Submission;
  onDone(schedule: Schedule): void;
}

export function ScheduleForm({ path, schedule, note, submission, onDone }: Props) {
  const { client, trans } = useHost();
  const { result: schema, error } = useAsked(() => client.parameters(path), path);
  const [name, setName] = useState(schedule?.name ?? '');
  const [inputs, setInputs] = useState<JsonObject>(schedule?.inputs ?? {});
  const [draft, setDraft] = useState(schedule ? draftOf(schedule) : freshDraft(browserZone()));
  const [catchup, setCatchup] = useState<Catchup>(schedule?.catchup ?? 'latest');
  const [overlap, setOverlap] = useState<Overlap>(schedule?.overlap ?? 'skip');
  const [options, setOptions] = useState<OptionTexts>(schedule ? textsOf(schedule) : NO_OPTIONS);
  const [fault, setFault] = useState('');
  const form = useFirstField<HTMLDivElement>(true);
  useEffect(() => {
    if (!schema && !error) {
      return; // the button waits until the fields are known
    }
    submission.set(async isEarly => {
      if (isEarly && schema && hasFields(schema)) {
        return false; // nobody has seen its fields
      }
      const refusal = schema ? lacking(trans, schema, inputs) || unreadable(trans, options) : error;
      if (refusal) {
        setFault(refusal);
        return false;
      }
      const wanted: NewSchedule = {
        target: path,
        when: whenOf(draft),
        name: name.trim(),
        inputs,
        catchup,
        overlap,
        version: schedule?.version ?? null,
        ...readOptions(options)
      };
      try {
        const { id } = schedule ?? {};
        onDone(await (id ? client.editSchedule(id, wanted) : client.addSchedule(wanted)));
        return true;
      } catch (refused) {
        setFault(refused instanceof Error ? refused.message : String(refused));
        return false;
      }
    });
  });
  return (
    <div ref={form} className="iai-Dialog" aria-busy={!schema && !error}>
      <p>
        <code>{path}</code>
      </p>
      {note && <p className="iai-Panel-quiet">{note}</p>}
      <Text
        label={trans('Name of the schedule')}
        placeholder={trans('After the file')}
        value={name}
        onChange={setName}
      />
      <RuleFields draft={draft} onChange={setDraft} />
      <Next draft={draft} />
      <Inputs schema={schema} value={inputs} onChange={setInputs} />
      <details>
        <summary>{trans('Missed times, overlap and queue')}</summary>
        <Choice
          label={trans('Times that were missed while nothing ran')}
          value={catchup}
          options={catchups(trans)}
          onChange={next => setCatchup(next)}
        />
        <Choice
          label={trans('When the run before has not ended')}
          value={overlap}
          options={overlaps(trans)}
          onChange={next => setOverlap(next)}
        />
        <Bounds draft={draft} onChange={setDraft} />
        <OptionFields value={options} onChange={setOptions} />
      </details>
      <Fault text={fault || error} />
    </div>
  );
}

interface DraftProps {
  readonly draft: Draft;
  onChange(draft: Draft): void;
}

function RuleFields({ draft, onChange }: DraftProps) {
  const { trans } = useHost();
  const kinds: readonly (readonly [Kind, string])[] = [
    ['cron', trans('At times of day (cron)')],
    ['every', trans('Every so often')],
    ['at', trans('Once')],
    ['on_change', trans('When files change')]
  ];
  return (
    <>
      <Choice
        label={trans('When')}
        value={draft.kind}
        options={kinds}
        onChange={kind => onChange({ ...draft, kind })}
      />
      {draft.kind === 'cron' && (
        <Text
          label={trans('Minute, hour, day, month, weekday')}
          value={draft.cron}
          onChange={cron => onChange({ ...draft, cron })}
        />
      )}
      {draft.kind === 'every' && (
        <Text
          label={trans('Interval, such as 15m or 2h')}
          value={draft.every}
          onChange={every => onChange({ ...draft, every })}
        />
      )}
      {draft.kind === 'at' && (
        <label className="iai-Panel-field">
          <span>{trans('Moment')}</span>
          <input
            type="datetime-local"
            className="jp-mod-styled"
            value={draft.at}
            onChange={event => onChange({ ...draft, at: event.currentTarget.value })}
          />
        </label>
      )}
      {draft.kind === 'on_change' && (
        <label className="iai-Panel-field">
          <span>{trans('Files of the workspace, one pattern a line')}</span>
          <textarea
            className="jp-mod-styled"
            rows={2}
            value={draft.files}
            onChange={event => onChange({ ...draft, files: event.currentTarget.value })}
          />
        </label>
      )}
      {draft.kind !== 'on_change' && (
        <Text
          label={trans('Time zone')}
          value={draft.zone}
          onChange={zone => onChange({ ...draft, zone })}
        />
      )}
    </>
  );
}

function Bounds({ draft, onChange }: DraftProps) {
  const { trans } = useHost();
  return (
    <>
      <Text
        label={trans('Not before')}
        placeholder="2026-12-01T06:00"
        value={draft.start}
        onChange={start => onChange({ ...draft, start })}
      />
      <Text
        label={trans('Not after')}
        placeholder="2027-12-01T06:00"
        value={draft.end}
        onChange={end => onChange({ ...draft, end })}
      />
      <Text
        label={trans('Later by chance, up to')}
        placeholder="5m"
        value={draft.jitter}
        onChange={jitter => onChange({ ...draft, jitter })}
      />
    </>
  );
}

/** The next ten times, once the person pauses. */
function Next({ draft }: { readonly draft: Draft }) {
  const { client, trans } = useHost();
  const settled = useSettled(JSON.stringify(whenOf(draft)));
  const { result, error } = useAsked(() => client.preview(JSON.parse(settled)), settled);
  return (
    <section aria-label={trans('Next times')} aria-live="polite">
      <h4>{trans('Next times')}</h4>
      {error ? <Fault text={error} /> : result && <Moments moments={result.next} />}
      {result && <p className="iai-Panel-quiet">{result.fired_by}</p>}
    </section>
  );
}

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly (readonly [Value, string])[];
  onChange(value: Value): void;
}

function Choice<Value extends string>({ label, value, options, onChange }: ChoiceProps<Value>) {
  return (
    <label className="iai-Panel-field">
      <span>{label}</span>
      <select
        className="jp-mod-styled"
        value={value}
        onChange={event => onChange(event.currentTarget.value as Value)}
      >
        {options.map(([name, words]) => (
          <option key={name} value={name}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

type Trans = ReturnType<typeof useHost>['trans'];

function catchups(trans: Trans): readonly (readonly [Catchup, string])[] {
  return [
    ['latest', trans('Run once for the latest of them')],
    ['all', trans('Run for each of them')],
    ['none', trans('Only list them')]
  ];
}

function overlaps(trans: Trans): readonly (readonly [Overlap, string])[] {
  return [
    ['skip', trans('Leave the new run out, and list it')],
    ['queue', trans('Start the new run when the earlier one has ended')],
    ['allow', trans('Let both run')],
    ['cancel', trans('Cancel the earlier run, then start the new one')]
  ];
}

function textsOf({ queue, priority, timeout, budget }: Schedule): OptionTexts {
  return {
    queue,
    priority: String(priority),
    timeout: timeout === null ? '' : String(timeout),
    budget: textsOfBudget(budget)
  };
}
