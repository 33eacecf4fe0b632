/** A node's configuration in JupyterLab's form component, with our controls and problems. */
import { FormComponent } from '@jupyterlab/ui-components';
import type { FieldProps, FieldTemplateProps, RJSFSchema } from '@rjsf/utils';
import { customizeValidator } from '@rjsf/validator-ajv8';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { IEditorServices } from '@jupyterlab/codeeditor';
import { createContext, useContext, useMemo } from 'react';
import { createRoot } from 'react-dom/client';
import type { Trans } from '../core/i18n';
import type { Json, JsonObject } from '../core/flow';
import type { Problem } from '../core/protocol';
import type { FormProps, Mounted } from '../core/services';
import { CONTROLS } from './controls';
import { SECRETS } from './names';
import type { Host } from './place';
import { controlOf, formSchema, propertiesOf } from './schema';

export interface FormScope extends FormProps {
  readonly trans: Trans;
  readonly editors: IEditorServices;
  /** Ask for a secret and return its name, "" when none was set; null: nothing here can. */
  readonly newSecret: (() => Promise<string>) | null;
  /** Makes ids on the page unique. */
  readonly id: string;
}

const validator = customizeValidator<ReadonlyJSONObject>();

export const FormContext = createContext<FormScope | null>(null);

export function useForm(): FormScope {
  const scope = useContext(FormContext);
  if (!scope) {
    throw new Error('This control stands outside of a form.');
  }
  return scope;
}

let forms = 0;

export function mountForm(
  host: Pick<Host, 'app' | 'editors'>,
  trans: Trans,
  element: HTMLElement,
  props: FormProps
): Mounted<FormProps> {
  const root = createRoot(element);
  const id = `iai-form-${(forms += 1)}`;
  const { editors } = host;
  const { commands } = host.app;
  const ask = async (): Promise<string> => String((await commands.execute(SECRETS)) ?? '');
  const show = (next: FormProps): void => {
    const newSecret = commands.hasCommand(SECRETS) ? ask : null;
    root.render(<ConfigForm scope={{ ...next, editors, newSecret, trans, id }} />);
  };
  show(props);
  return { update: show, dispose: () => root.unmount() };
}

function ConfigForm({ scope }: { scope: FormScope }) {
  const { schema, value, id } = scope;
  const names = Object.keys(value).join('\n');
  const [shape, ui] = useMemo(() => {
    const made = formSchema(schema, names ? names.split('\n') : []);
    const fields = Object.keys(propertiesOf(made));
    return [made, Object.fromEntries(fields.map(name => [name, { 'ui:field': 'control' }]))];
  }, [schema, names]);
  return (
    <FormContext.Provider value={scope}>
      <FormComponent
        schema={shape as RJSFSchema}
        uiSchema={{ ...ui, 'ui:options': { submitButtonOptions: { norender: true } } }}
        formData={value}
        fields={{ control: ControlField }}
        templates={{ FieldTemplate: Field, ObjectFieldTemplate: Fields }}
        validator={validator}
        noValidate
        tagName="div"
        idPrefix={id}
        onChange={() => undefined}
        className="iai-ConfigForm"
      />
    </FormContext.Provider>
  );
}

function Fields({ properties }: { properties: readonly { content: React.ReactElement }[] }) {
  return <>{properties.map(property => property.content)}</>;
}

function Field({ id, label, children, schema, hidden }: FieldTemplateProps) {
  const scope = useForm();
  if (hidden || id === scope.id) {
    return <>{children}</>;
  }
  const name = id.slice(scope.id.length + 1);
  const described = typeof schema.description === 'string' ? schema.description : '';
  return (
    <div className="iai-Field" data-field={name}>
      <div className="iai-Field-head">
        <label htmlFor={`${id}-control`} className="iai-Field-label">
          {label}
          {required(scope.schema, name) && <span aria-hidden="true"> *</span>}
        </label>
        <span className="iai-Field-tools">
          <Source name={name} />
          <Reset name={name} />
        </span>
      </div>
      {children}
      {described && (
        <div id={`${id}-help`} className="iai-Field-help">
          <Help text={described} />
        </div>
      )}
      <Problems id={`${id}-problems`} problems={problemsOf(scope.problems, name)} />
    </div>
  );
}

/** A description; what stands in backticks is code. */
function Help({ text }: { text: string }) {
  const parts = text.split('`');
  return <>{parts.map((part, at) => (at % 2 ? <code key={at}>{part}</code> : part))}</>;
}

/** Whether a field holds what is written in it, or takes a parameter instead. */
function Source({ name }: { name: string }) {
  const { schema, wired, sources, readOnly, trans } = useForm();
  const present = Object.hasOwn(wired, name) ? (wired[name] ?? '') : '';
  const offered = (sources?.parameters[name] ?? []).map(parameter => `params.${parameter}`);
  if (!sources || (offered.length === 0 && !present)) {
    return null;
  }
  return (
    <select
      className="iai-Field-source"
      aria-label={trans('Where {name} comes from', { name: labelOf(schema, name) })}
      value={present}
      disabled={readOnly}
      onChange={({ target: { value } }) =>
        sources.choose(name, value === '' ? null : value.slice('params.'.length))
      }
    >
      <option value="">{trans('Written here')}</option>
      {[...new Set(present ? [present, ...offered] : offered)].map(source => (
        <option key={source} value={source}>
          {source}
        </option>
      ))}
    </select>
  );
}

/** Back to the default, where there is a value that stands before it. */
function Reset({ name }: { name: string }) {
  const { schema, value, readOnly, wired, trans, onChange } = useForm();
  const field = propertiesOf(schema)[name];
  const set = Object.hasOwn(value, name) && !readOnly && !Object.hasOwn(wired, name);
  if (!set || (field && !('default' in field))) {
    return null;
  }
  const label = field ? trans('Use default') : trans('Remove');
  return (
    <button
      type="button"
      className="iai-Field-reset"
      aria-label={`${label}: ${labelOf(schema, name)}`}
      onClick={() => onChange(name, undefined)}
    >
      {label}
    </button>
  );
}

function Problems({ id, problems }: { id: string; problems: readonly Problem[] }) {
  return (
    <div id={id} aria-live="polite">
      {problems.map(({ code, severity, message, remedy }, index) => (
        <div key={index} className="iai-Field-problem" data-severity={severity}>
          <code>{code}</code> {message} {remedy}
        </div>
      ))}
    </div>
  );
}

function ControlField({ name, idSchema }: FieldProps) {
  const scope = useForm();
  const field = propertiesOf(scope.schema)[name] ?? ({} as JsonObject);
  const Control = Object.hasOwn(scope.wired, name) ? CONTROLS.wired : CONTROLS[controlOf(field)];
  const problems = problemsOf(scope.problems, name);
  return (
    <Control
      name={name}
      id={`${idSchema.$id}-control`}
      label={labelOf(scope.schema, name)}
      field={field}
      value={scope.value[name]}
      readOnly={scope.readOnly}
      invalid={problems.some(problem => problem.severity === 'error')}
      describedBy={`${idSchema.$id}-help ${idSchema.$id}-problems`}
      onChange={(next: Json | undefined) => scope.onChange(name, next)}
    />
  );
}

function labelOf(schema: JsonObject, name: string): string {
  return String(propertiesOf(schema)[name]?.title ?? name);
}

/** Problems of a field: of itself, or of something inside of it. */
function problemsOf(problems: readonly Problem[], name: string): readonly Problem[] {
  return problems.filter(({ field }) => field === name || field.startsWith(`${name}.`));
}

function required(schema: JsonObject, name: string): boolean {
  return Array.isArray(schema.required) && schema.required.includes(name);
}
