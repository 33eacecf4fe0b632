/** The flow's parameters: names, types, defaults. */
import { useState } from 'react';
import { attemptEdit } from '../../../core/attempt';
import {
  addParameter,
  removeParameter,
  renameParameter,
  setParameter
} from '../../../core/edits/parameters';
import type { Json, JsonObject } from '../../../core/flow';
import type { Trans } from '../../../core/i18n';
import { inputsSchema, isWritable } from '../../../core/inputs';
import { IconButton } from '../../chrome/Buttons';
import { Form } from '../../chrome/Mounted';
import { useFlow, useTrans } from '../../chrome/use';
import { useController, useReadOnly } from '../../hooks';
import { AddNamed } from './AddNamed';
import { ChoiceField, TextField } from './Fields';

export function Parameters() {
  const controller = useController();
  const trans = useTrans();
  const { parameters } = useFlow(controller);
  const readOnly = useReadOnly(controller);
  const add = (name: string): boolean =>
    attemptEdit(controller, trans('Add a parameter'), flow => addParameter(flow, name));
  return (
    <section className="iai-section">
      <h3>{trans('Parameters')}</h3>
      {Object.entries(parameters).map(([parameter, spec]) => (
        <Parameter key={parameter} name={parameter} spec={spec} readOnly={readOnly} />
      ))}
      <AddNamed label={trans('Name of a parameter')} readOnly={readOnly} onAdd={add} />
    </section>
  );
}

interface Props {
  readonly name: string;
  readonly spec: JsonObject;
  readonly readOnly: boolean;
}

function Parameter({ name, spec, readOnly }: Props) {
  const controller = useController();
  const trans = useTrans();
  const [typed, setTyped] = useState(name);
  const type = typeof spec.type === 'string' ? spec.type : 'any';
  const change = (field: string, value: Json | undefined): void => {
    const entries = Object.entries(spec).filter(([key]) => key !== field);
    const next = Object.fromEntries(value === undefined ? entries : [...entries, [field, value]]);
    attemptEdit(
      controller,
      trans('Change parameter {name}', { name }),
      flow => setParameter(flow, name, next),
      `parameter:${name}:${field}`
    );
  };
  const rename = (): void => {
    const label = trans('Rename parameter {name}', { name });
    if (
      typed !== name &&
      !attemptEdit(controller, label, flow =>
        renameParameter(flow, name, typed, controller.catalog.get())
      )
    ) {
      setTyped(name);
    }
  };
  const remove = (): void => {
    const label = trans('Remove {name}', { name });
    attemptEdit(controller, label, flow => removeParameter(flow, name));
  };
  return (
    <details className="iai-parameter">
      <summary>
        <bdi>{name}</bdi> <span className="iai-quiet">{type}</span>
        {!('default' in spec) && <span className="iai-badge">{trans('required')}</span>}
      </summary>
      <div className="iai-row">
        <input
          className="iai-input"
          aria-label={trans('Name of a parameter')}
          value={typed}
          readOnly={readOnly}
          onChange={event => setTyped(event.currentTarget.value)}
          onBlur={rename}
        />
        <IconButton
          icon="close"
          label={trans('Remove {name}', { name })}
          disabled={readOnly}
          onClick={remove}
        />
      </div>
      <ChoiceField
        label={trans('Type')}
        value={type}
        choices={typeChoices(trans, type)}
        readOnly={readOnly}
        onChange={value => change('type', value)}
      />
      <TextField
        label={trans('Description')}
        value={typeof spec.description === 'string' ? spec.description : ''}
        readOnly={readOnly}
        onChange={value => change('description', value)}
      />
      {isWritable(spec) && (
        <DefaultField {...{ name, spec, readOnly }} onChange={value => change('default', value)} />
      )}
    </details>
  );
}

interface DefaultProps extends Props {
  readonly onChange: (value: Json | undefined) => void;
}

/** Without a default a run must be given a value. */
function DefaultField({ name, spec, readOnly, onChange }: DefaultProps) {
  const trans = useTrans();
  const { default: standard, ...rest } = spec;
  const field = { ...rest, title: trans('Default') };
  const { properties } = inputsSchema({ parameters: { [name]: field } });
  return (
    <Form
      schema={{ type: 'object', properties: properties ?? {}, additionalProperties: false }}
      value={standard === undefined ? {} : { [name]: standard }}
      wired={{}}
      readOnly={readOnly}
      problems={[]}
      secrets={[]}
      names={[]}
      onChange={(_, value) => onChange(value === '' ? undefined : value)}
    />
  );
}

function typeChoices(trans: Trans, present: string): readonly (readonly [string, string])[] {
  const known: [string, string][] = [
    ['string', trans('Text')],
    ['number', trans('Number')],
    ['integer', trans('Whole number')],
    ['boolean', trans('Yes or no')],
    ['array', trans('List')],
    ['object', trans('Object')],
    ['file', trans('File')],
    ['table', trans('Table')],
    ['any', trans('Anything')]
  ];
  return known.some(([type]) => type === present) ? known : [...known, [present, present]];
}
