/** The node's configuration, as a form that its type's JSON Schema makes. */
import { useMemo } from 'react';
import { attemptEdit } from '../../../core/attempt';
import type { NodeType } from '../../../core/catalog';
import { setConfig } from '../../../core/edits/nodes';
import { parametersFor, setSource, wiredFields } from '../../../core/edits/sources';
import type { Flow, FlowNode, Json, JsonObject } from '../../../core/flow';
import { inputsOf } from '../../../core/ports';
import type { Problem } from '../../../core/protocol';
import { bodyOf } from '../../../core/scope';
import { Form } from '../../chrome/Mounted';
import { useFlow, useRequest, useTrans } from '../../chrome/use';
import { useController, useReadOnly, useStore } from '../../hooks';
import { HelpText } from '../TypeHelp';

interface Props {
  readonly id: string;
  readonly problems: readonly Problem[];
}

export function Setup({ id, problems }: Props) {
  const controller = useController();
  const trans = useTrans();
  const flow = useFlow(controller);
  const catalog = useStore(controller.catalog);
  const node = flow.nodes[id];
  const type = catalog.get(node?.type ?? '');
  if (!node) {
    return null;
  }
  return (
    <div className="iai-pad">
      <ProblemList problems={problems} shown={type ? fieldsOf(type) : NO_FIELDS} />
      {type ? (
        <>
          {type.bodies.map(field => (
            <BodyField key={field} id={id} node={node} field={field} />
          ))}
          <ConfigForm id={id} flow={flow} node={node} type={type} problems={problems} />
          <details className="iai-section">
            <summary>{trans('Help')}</summary>
            <HelpText type={type} />
          </details>
        </>
      ) : (
        <p className="iai-muted">
          {trans('Node type {type} is not installed here; its settings are kept.', {
            type: node.type
          })}
        </p>
      )}
    </div>
  );
}

const NO_FIELDS: ReadonlySet<string> = new Set();

/** Fields of the form. */
function fieldsOf({ config, bodies }: NodeType): ReadonlySet<string> {
  return new Set(Object.keys(propertiesOf(withoutFields(config, bodies))));
}

interface ProblemListProps {
  readonly problems: readonly Problem[];
  readonly shown: ReadonlySet<string>;
}

/** Problems that no field shows: of the node, of its ports, of how it runs. */
function ProblemList({ problems, shown }: ProblemListProps) {
  const general = problems.filter(({ field }) => !shown.has(field.split('.')[0] ?? ''));
  return general.length === 0 ? null : (
    <ul className="iai-problem-list">
      {general.map((problem, index) => (
        <li key={index} data-severity={problem.severity}>
          <code>{problem.code}</code> {problem.message} {problem.remedy}
        </li>
      ))}
    </ul>
  );
}

interface FormProps extends Props {
  readonly flow: Flow;
  readonly node: FlowNode;
  readonly type: NodeType;
}

const NO_CONFIG: JsonObject = {};

function ConfigForm({ id, flow, node, type, problems }: FormProps) {
  const controller = useController();
  const trans = useTrans();
  const readOnly = useReadOnly(controller);
  const secrets = useRequest('secrets', {});
  const schema = useMemo(() => withoutFields(type.config, type.bodies), [type]);
  const catalog = useStore(controller.catalog);
  const wired = useMemo(() => wiredFields(flow, id), [flow, id]);
  const parameters = useMemo(() => parametersFor(flow, id, catalog), [flow, id, catalog]);
  const names = useMemo(() => namesFor(flow, id, controller), [flow, id, controller]);
  if (Object.keys(propertiesOf(schema)).length === 0) {
    return <p className="iai-muted">{trans('This node has no settings.')}</p>;
  }
  return (
    <Form
      schema={schema}
      value={node.config ?? NO_CONFIG}
      wired={wired}
      sources={{
        parameters,
        choose: (field, parameter) =>
          attemptEdit(controller, trans('Change {field}', { field }), now =>
            setSource(now, catalog, id, field, parameter)
          )
      }}
      readOnly={readOnly}
      problems={problems}
      secrets={secrets.state === 'done' ? secrets.result.names : []}
      names={names}
      onChange={(field, value) => {
        const label = trans('Change {field}', { field });
        const change = (now: Flow): Flow => setConfig(now, id, field, kept(schema, field, value));
        attemptEdit(controller, label, change, `config:${controller.path(id)}:${field}`);
      }}
    />
  );
}

/** An emptied field goes back to its default; where the default is a text, empty is a value. */
function kept(schema: JsonObject, field: string, value: Json | undefined): Json | undefined {
  const standard = propertiesOf(schema)[field]?.default;
  return value === '' && !(typeof standard === 'string' && standard !== '') ? undefined : value;
}

function propertiesOf(schema: JsonObject): { readonly [name: string]: JsonObject } {
  return (schema.properties ?? {}) as { readonly [name: string]: JsonObject };
}

function withoutFields(schema: JsonObject, fields: readonly string[]): JsonObject {
  const properties = Object.entries(propertiesOf(schema));
  const required = (schema.required ?? []) as readonly string[];
  return {
    ...schema,
    properties: Object.fromEntries(properties.filter(([name]) => !fields.includes(name))),
    required: required.filter(name => !fields.includes(name))
  };
}

/** What templates and expressions of the node may name. */
function namesFor(
  flow: Flow,
  id: string,
  controller: ReturnType<typeof useController>
): readonly string[] {
  const ports = inputsOf(flow, id, controller.catalog.get()).map(port => port.name);
  return [...Object.keys(flow.parameters).map(name => `params.${name}`), ...ports];
}

interface BodyProps {
  readonly id: string;
  readonly node: FlowNode;
  readonly field: string;
}

/** A nested flow: opened in place, or in a file of its own. */
function BodyField({ id, node, field }: BodyProps) {
  const controller = useController();
  const trans = useTrans();
  const readOnly = useReadOnly(controller);
  const body = bodyOf(node, field);
  const inside = body !== null && typeof body !== 'string';
  const count = inside ? Object.keys(body.nodes).length : 0;
  return (
    <div className="iai-body-field">
      <button
        type="button"
        className="iai-button iai-primary"
        onClick={() => controller.openBody(id, field)}
      >
        {trans('Open the flow inside')}
      </button>
      {inside ? (
        <span className="iai-quiet">{trans('Nodes: {count}', { count })}</span>
      ) : (
        <label className="iai-field">
          <span>{trans('Or the path of a flow file')}</span>
          <input
            className="iai-input"
            value={typeof body === 'string' ? body : ''}
            placeholder="name.flow.json"
            readOnly={readOnly}
            onChange={event => {
              const path = event.currentTarget.value || undefined;
              const label = trans('Change {field}', { field });
              const merge = `config:${controller.path(id)}:${field}`;
              attemptEdit(controller, label, flow => setConfig(flow, id, field, path), merge);
            }}
          />
        </label>
      )}
    </div>
  );
}
