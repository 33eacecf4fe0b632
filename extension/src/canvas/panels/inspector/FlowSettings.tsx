/** The flow itself: its name, its parameters and what it returns. */
import { attemptEdit } from '../../../core/attempt';
import { addResult } from '../../../core/edits/results';
import type { Flow } from '../../../core/flow';
import { isWritable } from '../../../core/inputs';
import { outputsOf } from '../../../core/ports';
import { IconButton } from '../../chrome/Buttons';
import { useFlow, useTrans } from '../../chrome/use';
import { ValuesForm } from '../../chrome/ValuesForm';
import { useController, useReadOnly, useStore } from '../../hooks';
import { AddNamed } from './AddNamed';
import { TextField } from './Fields';
import { Parameters } from './Parameters';

export function FlowSettings() {
  const controller = useController();
  const trans = useTrans();
  const flow = useFlow(controller);
  const { scope } = useStore(controller.view);
  const readOnly = useReadOnly(controller);
  return (
    <div className="iai-inspector iai-pad">
      <p className="iai-muted">{trans('Select a node to see its settings and values.')}</p>
      {scope.length === 0 && (
        <TextField
          label={trans('Name of the flow')}
          value={flow.name}
          readOnly={readOnly}
          onChange={name =>
            attemptEdit(
              controller,
              trans('Rename the flow'),
              now => ({ ...now, name: name ?? '' }),
              'flow-name'
            )
          }
        />
      )}
      <Parameters />
      {scope.length === 0 && <RunValues />}
      <Results flow={flow} readOnly={readOnly} />
    </div>
  );
}

/** Values of the parameters for the next run, where they differ from their defaults. */
function RunValues() {
  const controller = useController();
  const trans = useTrans();
  const root = useStore(controller.document.flow);
  const named = Object.keys(root.parameters).filter(name =>
    isWritable(root.parameters[name] ?? {})
  );
  if (named.length === 0) {
    return null;
  }
  return (
    <section className="iai-section">
      <h3>{trans('Values for the next run')}</h3>
      <ValuesForm named={named} />
    </section>
  );
}

interface ResultsProps {
  readonly flow: Flow;
  readonly readOnly: boolean;
}

/** What the flow returns, by name. */
function Results({ flow, readOnly }: ResultsProps) {
  const controller = useController();
  const trans = useTrans();
  const catalog = useStore(controller.catalog);
  const ports = Object.keys(flow.nodes).flatMap(id =>
    outputsOf(flow, id, catalog).map(port => `${id}.${port.name}`)
  );
  const change = (edit: (flow: Flow) => Flow): boolean =>
    attemptEdit(controller, trans('Change what the flow returns'), edit);
  const set = (outputs: Flow['outputs']): boolean => change(now => withOutputs(now, outputs));
  const [first] = ports;
  const entries = Object.entries(flow.outputs ?? {});
  return (
    <section className="iai-section">
      <h3>{trans('What the flow returns')}</h3>
      {entries.length === 0 && (
        <p className="iai-muted">{trans('The outputs of its last nodes.')}</p>
      )}
      {entries.map(([output, from]) => (
        <div key={output} className="iai-row">
          <bdi className="iai-port-name">{output}</bdi>
          <select
            className="iai-input"
            aria-label={trans('Where {name} comes from', { name: output })}
            value={from}
            disabled={readOnly}
            onChange={event => set({ ...flow.outputs, [output]: event.currentTarget.value })}
          >
            {[...new Set([from, ...ports])].map(port => (
              <option key={port}>{port}</option>
            ))}
          </select>
          <IconButton
            icon="close"
            label={trans('Remove {name}', { name: output })}
            disabled={readOnly}
            onClick={() => set(without(flow.outputs, output))}
          />
        </div>
      ))}
      {first !== undefined && (
        <AddNamed
          label={trans('Name of a result')}
          readOnly={readOnly}
          onAdd={name => change(now => addResult(now, name, first))}
        />
      )}
    </section>
  );
}

function without(outputs: Flow['outputs'], name: string): Flow['outputs'] {
  return Object.fromEntries(Object.entries(outputs ?? {}).filter(([other]) => other !== name));
}

/** Without any named output the flow returns what its last nodes give. */
function withOutputs(flow: Flow, outputs: Flow['outputs']): Flow {
  const named = Object.keys(outputs ?? {}).length > 0 ? outputs : undefined;
  return { ...flow, outputs: named };
}
