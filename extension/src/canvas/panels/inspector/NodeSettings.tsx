/** How the node runs: retries, time limit, cache, failures, joins, skipping, concurrency. */
import { attemptEdit } from '../../../core/attempt';
import { setNode } from '../../../core/edits/nodes';
import type { FlowNode, Retry } from '../../../core/flow';
import { inputsOf } from '../../../core/ports';
import { Editor } from '../../chrome/Mounted';
import { useFlow, useTrans } from '../../chrome/use';
import { useController, useReadOnly } from '../../hooks';
import { ChoiceField, NumberField, TextField } from './Fields';

type Change = (field: string, change: Partial<FlowNode>) => void;

interface PartProps {
  readonly node: FlowNode;
  readonly readOnly: boolean;
  readonly onChange: Change;
}

/** Cache of this many seconds when a person first asks for a time. */
const HOUR = 3600;

export function NodeSettings({ id }: { readonly id: string }) {
  const controller = useController();
  const trans = useTrans();
  const flow = useFlow(controller);
  const readOnly = useReadOnly(controller);
  const node = flow.nodes[id];
  if (!node) {
    return null;
  }
  const onChange: Change = (field, change) => {
    const merge = `settings:${controller.path(id)}:${field}`;
    attemptEdit(controller, trans('Change how it runs'), now => setNode(now, id, change), merge);
  };
  const names = [
    ...Object.keys(flow.parameters).map(name => `params.${name}`),
    ...inputsOf(flow, id, controller.catalog.get()).map(port => port.name)
  ];
  return (
    <div className="iai-pad iai-settings">
      <StartSettings {...{ node, readOnly, onChange }} />
      <div className="iai-field">
        <span>{trans('Skip if')}</span>
        <Editor
          language="expression"
          value={node.skip_if ?? ''}
          readOnly={readOnly}
          label={trans('Skip if')}
          names={names}
          onChange={text => onChange('skip_if', { skip_if: text || undefined })}
        />
        <p className="iai-muted">{trans('A condition; when it is true the node is skipped.')}</p>
      </div>
      <NumberField
        label={trans('Time limit (seconds)')}
        value={node.timeout}
        placeholder={trans('none')}
        min={0.001}
        readOnly={readOnly}
        onChange={timeout => onChange('timeout', { timeout })}
      />
      <CacheSettings {...{ node, readOnly, onChange }} />
      <RetrySettings {...{ node, readOnly, onChange }} />
    </div>
  );
}

function StartSettings({ node, readOnly, onChange }: PartProps) {
  const trans = useTrans();
  return (
    <>
      <ChoiceField
        label={trans('When it fails')}
        value={node.on_error ?? 'fail'}
        choices={[
          ['fail', trans('The run fails')],
          ['continue', trans('The run goes on without its outputs')],
          ['port', trans('It gives the error at a port of its own')]
        ]}
        readOnly={readOnly}
        onChange={value =>
          onChange('on_error', {
            on_error: value === 'fail' ? undefined : (value as FlowNode['on_error'])
          })
        }
      />
      <ChoiceField
        label={trans('When it starts')}
        value={node.join ?? 'all'}
        choices={[
          ['all', trans('When every input has a value')],
          ['any', trans('With the first input that has a value')],
          ['all_done', trans('When everything before it has ended')]
        ]}
        readOnly={readOnly}
        onChange={value =>
          onChange('join', { join: value === 'all' ? undefined : (value as FlowNode['join']) })
        }
      />
      <NumberField
        label={trans('Items at once')}
        help={trans('For nodes that repeat a flow for each item.')}
        value={node.concurrency}
        placeholder={trans('as its setup says')}
        min={1}
        whole
        readOnly={readOnly}
        onChange={concurrency => onChange('concurrency', { concurrency })}
      />
    </>
  );
}

function CacheSettings({ node, readOnly, onChange }: PartProps) {
  const trans = useTrans();
  const seconds = typeof node.cache === 'number' ? node.cache : undefined;
  const chosen = seconds === undefined ? String(node.cache ?? 'auto') : 'time';
  return (
    <>
      <ChoiceField
        label={trans('Stored results')}
        value={chosen}
        choices={[
          ['auto', trans('Use them while nothing has changed')],
          ['off', trans('Never use them')],
          ['time', trans('Use them for a time')]
        ]}
        readOnly={readOnly}
        onChange={value =>
          onChange('cache', {
            cache: value === 'time' ? HOUR : value === 'off' ? 'off' : undefined
          })
        }
      />
      {chosen === 'time' && (
        <NumberField
          label={trans('For how long (seconds)')}
          value={seconds}
          placeholder={String(HOUR)}
          min={0.001}
          readOnly={readOnly}
          onChange={value => onChange('cache', { cache: value ?? HOUR })}
        />
      )}
    </>
  );
}

function RetrySettings({ node, readOnly, onChange }: PartProps) {
  const trans = useTrans();
  const retry = node.retry ?? {};
  const set = (field: keyof Retry, value: Retry[keyof Retry]): void => {
    const entries = Object.entries({ ...retry, [field]: value });
    const next = Object.fromEntries(entries.filter(([, entry]) => entry !== undefined)) as Retry;
    onChange(`retry.${field}`, { retry: Object.keys(next).length > 0 ? next : undefined });
  };
  const number = (
    field: 'initial' | 'max' | 'jitter',
    label: string,
    usual: string,
    max?: number
  ) => (
    <NumberField
      label={label}
      value={retry[field]}
      placeholder={usual}
      min={0}
      max={max}
      readOnly={readOnly}
      onChange={value => set(field, value)}
    />
  );
  return (
    <fieldset className="iai-fieldset">
      <legend>{trans('Retries')}</legend>
      <NumberField
        label={trans('Calls in all')}
        value={retry.attempts}
        placeholder="1"
        min={1}
        max={1000}
        whole
        readOnly={readOnly}
        onChange={value => set('attempts', value)}
      />
      {(retry.attempts ?? 1) > 1 && (
        <>
          <ChoiceField
            label={trans('Pause between calls')}
            value={retry.backoff ?? 'exponential'}
            choices={[
              ['exponential', trans('doubles each time')],
              ['constant', trans('always the same')],
              ['random', trans('at random')]
            ]}
            readOnly={readOnly}
            onChange={value =>
              set('backoff', value === 'exponential' ? undefined : (value as Retry['backoff']))
            }
          />
          {number('initial', trans('First pause (seconds)'), '1')}
          {number('max', trans('Longest pause (seconds)'), '60')}
          {number('jitter', trans('Random share of the pause (0 to 1)'), '0', 1)}
          <TextField
            label={trans('Only after these errors')}
            help={trans('Names of exceptions, separated by commas; empty: all.')}
            value={(retry.on ?? []).join(', ')}
            placeholder="TimeoutError"
            readOnly={readOnly}
            onChange={text => set('on', splitNames(text ?? ''))}
          />
        </>
      )}
    </fieldset>
  );
}

/** A comma at the end is kept as an empty name while one types, and dropped by the next letter. */
function splitNames(text: string): readonly string[] | undefined {
  const names = text.split(',').map(name => name.trim());
  const kept = names.filter((name, index) => name || index === names.length - 1);
  return kept.some(Boolean) ? kept : undefined;
}
