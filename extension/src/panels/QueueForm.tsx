/** What is asked before a notebook or flow is queued. */
import { useEffect, useState } from 'react';
import type { QueueOptions, RunOptions } from '../api/types';
import type { JsonObject } from '../core/flow';
import type { Trans } from '../core/i18n';
import { Fault } from './Answer';
import { BudgetFields, NO_BUDGET, readBudget, type BudgetTexts } from './Budget';
import { hasFields, lacking, SchemaForm } from './Form';
import { useHost } from './host';
import { Text } from './Text';
import { useAsked, useFirstField } from './use';

/**
 * What a dialog's button does; it says whether the dialog may close. `isEarly`: the button was
 * pressed before there was anything to look at.
 */
type Work = (isEarly: boolean) => Promise<boolean>;

export class Submission {
  private work: Work | null = null;
  private asked: ((accepted: Promise<boolean>) => void) | null = null;

  set(work: Work): void {
    this.work = work;
    this.asked?.(work(true));
    this.asked = null;
  }

  /** Do it, or, while nothing is set yet, once it is. */
  submit(): Promise<boolean> {
    return this.work?.(false) ?? new Promise(resolve => (this.asked = resolve));
  }
}

interface Props {
  readonly path: string;
  /** What was done before the dialog opened; "": nothing. */
  readonly note: string;
  readonly submission: Submission;
  onDone(run: { readonly id: string }): void;
}

export function QueueForm({ path, note, submission, onDone }: Props) {
  const { client, trans } = useHost();
  const { result: schema, error } = useAsked(() => client.parameters(path), path);
  const [inputs, setInputs] = useState<JsonObject>({});
  const [options, setOptions] = useState<OptionTexts>(NO_OPTIONS);
  const [delay, setDelay] = useState('');
  const [fault, setFault] = useState('');
  const form = useFirstField<HTMLDivElement>(schema !== null);
  useEffect(() => {
    if (!schema && !error) {
      return; // the button waits until the fields are known
    }
    submission.set(async isEarly => {
      if (isEarly && schema && hasFields(schema)) {
        return false; // nobody has seen its fields
      }
      const refusal = schema
        ? lacking(trans, schema, inputs) || unreadable(trans, { ...options, delay })
        : error;
      if (refusal) {
        setFault(refusal);
        return false;
      }
      try {
        const asked: RunOptions = { ...readOptions(options), ...seconds('delay', delay) };
        onDone(await client.start(path, inputs, asked));
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
      <Inputs schema={schema} value={inputs} onChange={setInputs} />
      <details>
        <summary>{trans('Queue options')}</summary>
        <OptionFields value={options} onChange={setOptions} />
        <Text label={trans('Start after (s)')} value={delay} onChange={setDelay} />
      </details>
      <Fault text={fault || error} />
    </div>
  );
}

interface InputsProps {
  readonly schema: JsonObject | null;
  readonly value: JsonObject;
  onChange(value: JsonObject): void;
}

export function Inputs({ schema, value, onChange }: InputsProps) {
  const { trans } = useHost();
  if (!schema) {
    return null;
  }
  if (!hasFields(schema)) {
    return <p className="iai-Panel-quiet">{trans('It has no parameters.')}</p>;
  }
  return <SchemaForm schema={schema} value={value} onChange={onChange} />;
}

/** Why options cannot be read; "": they can. */
export function unreadable(
  trans: Trans,
  { priority, timeout, budget, delay = '' }: OptionTexts & { readonly delay?: string }
): string {
  const texts = [priority, timeout, delay, ...Object.values(budget)];
  const text = texts.find(each => !Number.isFinite(Number(each)));
  return text === undefined ? '' : trans('{text} is no number.', { text });
}

export interface OptionTexts {
  readonly queue: string;
  readonly priority: string;
  readonly timeout: string;
  readonly budget: BudgetTexts;
}

export const NO_OPTIONS: OptionTexts = {
  queue: '',
  priority: '',
  timeout: '',
  budget: NO_BUDGET
};

interface OptionProps {
  readonly value: OptionTexts;
  onChange(value: OptionTexts): void;
}

export function OptionFields({ value, onChange }: OptionProps) {
  const { trans } = useHost();
  return (
    <>
      <Text
        label={trans('Queue')}
        placeholder="default"
        value={value.queue}
        onChange={queue => onChange({ ...value, queue })}
      />
      <Text
        label={trans('Priority (lowest first)')}
        placeholder="0"
        value={value.priority}
        onChange={priority => onChange({ ...value, priority })}
      />
      <Text
        label={trans('Longest time (s)')}
        value={value.timeout}
        onChange={timeout => onChange({ ...value, timeout })}
      />
      <BudgetFields value={value.budget} onChange={budget => onChange({ ...value, budget })} />
    </>
  );
}

/** What is left empty is as usual. */
export function readOptions({ queue, priority, timeout, budget }: OptionTexts): QueueOptions {
  const limits = readBudget(budget);
  return {
    ...(limits ? { budget: limits } : {}),
    ...(queue.trim() ? { queue: queue.trim() } : {}),
    ...seconds('priority', priority),
    ...seconds('timeout', timeout)
  };
}

function seconds(name: string, text: string): Readonly<Record<string, number>> {
  return text.trim() ? { [name]: Number(text) } : {};
}
