/** The controls of a node's form: each edits one field, and shows its default while it is empty. */
import { useEffect, useRef, useState } from 'react';
import type { Json, JsonObject } from '../core/flow';
import { namedParameter } from '../core/edits/sources';
import type { EditorLanguage, EditorProps } from '../core/services';
import { jsonLine, parseJson } from '../core/json';
import { mountEditor } from './editors';
import { useForm } from './form';
import { essence, isObject, namesSecrets, type Control } from './schema';

export interface ControlProps {
  readonly name: string;
  readonly id: string;
  readonly label: string;
  readonly field: JsonObject;
  readonly value: Json | undefined;
  readonly readOnly: boolean;
  readonly invalid: boolean;
  readonly describedBy: string;
  onChange(value: Json | undefined): void;
}

/** Attributes that every plain control has. */
function attributes({ id, invalid, describedBy, readOnly }: ControlProps) {
  return {
    id,
    'aria-invalid': invalid,
    'aria-describedby': describedBy,
    disabled: readOnly,
    className: 'iai-Control'
  };
}

function hint(field: JsonObject): string {
  const value = field.default;
  if (value === undefined || value === null || value === '') {
    return '';
  }
  return typeof value === 'string' ? value : jsonLine(value);
}

function Wired({ id, name }: ControlProps) {
  const { trans, wired } = useForm();
  return (
    <output id={id} className="iai-Wired">
      {trans('Comes from {source}.', { source: wired[name] ?? '' })}
    </output>
  );
}

function Text(props: ControlProps & { readonly list?: string }) {
  const { value, field, list, onChange } = props;
  return (
    <input
      type="text"
      {...attributes(props)}
      spellCheck={false}
      value={typeof value === 'string' ? value : value === undefined ? '' : jsonLine(value)}
      placeholder={hint(field)}
      list={list}
      onChange={event => onChange(event.target.value)}
    />
  );
}

/** A text that names a secret: their names are offered, their values are nowhere on this page. */
function Secret(props: ControlProps) {
  const [names, made] = useSecrets();
  return (
    <>
      <Text {...props} list={names.length ? `${props.id}-secrets` : undefined} />
      <Secrets id={`${props.id}-secrets`} names={names} />
      <NewSecret
        readOnly={props.readOnly}
        onMade={name => {
          made(name);
          props.onChange(`secret:${name}`);
        }}
      />
    </>
  );
}

/** How the secrets that there are can be named, and a function that adds one. */
function useSecrets(): readonly [readonly string[], (name: string) => void] {
  const { secrets } = useForm();
  const [made, setMade] = useState<readonly string[]>([]);
  const names = [...new Set([...secrets, ...made])].map(name => `secret:${name}`);
  return [names, name => setMade([...made, name])];
}

interface NewSecretProps {
  readonly readOnly: boolean;
  onMade(name: string): void;
}

function NewSecret({ readOnly, onMade }: NewSecretProps) {
  const { trans, newSecret } = useForm();
  if (!newSecret || readOnly) {
    return null;
  }
  const ask = async (): Promise<void> => {
    const name = await newSecret();
    if (name) {
      onMade(name);
    }
  };
  return (
    <button type="button" className="iai-Link" onClick={() => void ask()}>
      {trans('New secret…')}
    </button>
  );
}

function Secrets({ id, names }: { id: string; names: readonly string[] }) {
  return names.length ? (
    <datalist id={id}>
      {names.map(name => (
        <option key={name} value={name} />
      ))}
    </datalist>
  ) : null;
}

/** What is typed stands until it is a number, or names a parameter. */
function Numeric(props: ControlProps) {
  const { name, value, field, onChange } = props;
  const { trans, sources } = useForm();
  const [typed, setTyped] = useState<string | null>(null);
  const whole = essence(field).type === 'integer';
  const offered = sources?.parameters[name] ?? [];
  const shown = typed ?? (value === undefined || value === null ? '' : String(value));
  const type_ = (text: string): void => {
    const parameter = namedParameter(text);
    setTyped(text);
    if (text.trim() === '') {
      onChange(undefined);
    } else if (offered.includes(parameter)) {
      sources?.choose(name, parameter);
    } else if (isNumber(text, whole)) {
      onChange(Number(text));
    }
  };
  const wrong = typed !== null && typed.trim() !== '' && !isNumber(typed, whole);
  const example = offered[0] && `{{params.${offered[0]}}}`;
  return (
    <>
      <input
        type="text"
        inputMode="decimal"
        {...attributes({ ...props, invalid: props.invalid || wrong })}
        value={shown}
        placeholder={hint(field)}
        onChange={event => type_(event.target.value)}
        onBlur={() => setTyped(null)}
      />
      {wrong && (
        <div className="iai-Field-problem" data-severity="error" role="status">
          {whole ? trans('Write a whole number.') : trans('Write a number.')}{' '}
          {example && trans('Or a parameter: {example}', { example })}
        </div>
      )}
    </>
  );
}

function isNumber(text: string, whole: boolean): boolean {
  const number = text.trim() === '' ? NaN : Number(text);
  return whole ? Number.isInteger(number) : Number.isFinite(number);
}

function Toggle(props: ControlProps) {
  const { value, field, onChange } = props;
  return (
    <input
      type="checkbox"
      {...attributes(props)}
      checked={Boolean(value ?? field.default ?? false)}
      onChange={event => onChange(event.target.checked)}
    />
  );
}

function Choice(props: ControlProps) {
  const { value, field, onChange } = props;
  const { trans } = useForm();
  const choices = (essence(field).enum ?? []) as readonly Json[];
  const present = value ?? field.default;
  const at = choices.findIndex(choice => choice === present);
  return (
    <select
      {...attributes(props)}
      value={at}
      onChange={event => onChange(choices[Number(event.target.value)])}
    >
      {at < 0 && <option value={-1}>{present === undefined ? '' : jsonLine(present)}</option>}
      {choices.map((choice, index) => (
        <option key={index} value={index}>
          {choice === '' ? trans('(none)') : String(choice)}
        </option>
      ))}
    </select>
  );
}

/** One text a line. */
function List(props: ControlProps) {
  const { value, field, onChange } = props;
  const { trans } = useForm();
  const lines = Array.isArray(value) ? value.map(String) : [];
  const [typed, setTyped] = useState<string | null>(null);
  const type_ = (text: string): void => {
    setTyped(text);
    const items = text.split('\n').filter(line => line.trim() !== '');
    onChange(items.length ? items : undefined);
  };
  return (
    <textarea
      {...attributes(props)}
      rows={Math.min(8, Math.max(2, lines.length + 1))}
      spellCheck={false}
      value={typed ?? lines.join('\n')}
      placeholder={hint(field) || trans('One a line')}
      onChange={event => type_(event.target.value)}
      onBlur={() => setTyped(null)}
    />
  );
}

/** Texts by name, such as headers; where the schema says so a value may name a secret. */
function Entries(props: ControlProps) {
  const { value, field, readOnly, onChange, label } = props;
  const { trans } = useForm();
  const [names, made] = useSecrets();
  const offered = namesSecrets(field) ? names : [];
  const [fresh, setFresh] = useState('');
  const entries = isObject(value) ? Object.entries(value) : [];
  const set = (next: readonly (readonly [string, Json])[]): void =>
    onChange(next.length ? Object.fromEntries(next) : undefined);
  const add = (): void => {
    if (fresh && !entries.some(([name]) => name === fresh)) {
      set([...entries, [fresh, '']]);
      setFresh('');
    }
  };
  return (
    <div
      role="group"
      aria-label={label}
      aria-describedby={props.describedBy}
      className="iai-Entries"
    >
      {entries.map(([name, text], at) => (
        <div key={name} className="iai-Entry">
          <span className="iai-Entry-name">{name}</span>
          <input
            type="text"
            className="iai-Control"
            aria-label={`${label}: ${name}`}
            disabled={readOnly}
            value={String(text)}
            list={offered.length ? `${props.id}-secrets` : undefined}
            onChange={event =>
              set(entries.map((e, i) => (i === at ? [name, event.target.value] : e)))
            }
          />
          <button
            type="button"
            disabled={readOnly}
            aria-label={`${trans('Remove')}: ${name}`}
            onClick={() => set(entries.filter((_, i) => i !== at))}
          >
            ×
          </button>
        </div>
      ))}
      <div className="iai-Entry">
        <input
          {...attributes(props)}
          type="text"
          placeholder={trans('Name')}
          value={fresh}
          onChange={event => setFresh(event.target.value)}
          onKeyDown={event => event.key === 'Enter' && add()}
        />
        <button type="button" disabled={readOnly || !fresh} onClick={add}>
          {trans('Add')}
        </button>
      </div>
      <Secrets id={`${props.id}-secrets`} names={offered} />
      {namesSecrets(field) && <NewSecret readOnly={readOnly} onMade={made} />}
    </div>
  );
}

function code(language: EditorLanguage) {
  return function CodeControl(props: ControlProps) {
    const { value, onChange } = props;
    const text = typeof value === 'string' ? value : value === undefined ? '' : jsonLine(value);
    return <Editor {...props} language={language} text={text} onText={onChange} />;
  };
}

/** What is typed stands; the field changes whenever it is JSON. */
function JsonControl(props: ControlProps) {
  const { value, onChange } = props;
  const { trans } = useForm();
  const [typed, setTyped] = useState<string | null>(null);
  const [wrong, setWrong] = useState(false);
  const present = value === undefined ? '' : indented(value);
  const type_ = (text: string): void => {
    setTyped(text);
    const parsed = text.trim() === '' ? undefined : attempt(text);
    setWrong(parsed === null);
    if (parsed !== null) {
      onChange(parsed?.value);
    }
  };
  // A change from elsewhere, such as undo, replaces what was typed unless that says the same.
  const said = typed === null ? null : attempt(typed);
  const same = said ? indented(said.value) === present : wrong || present === '';
  return (
    <>
      <Editor
        {...props}
        language="json"
        text={typed !== null && same ? typed : present}
        onText={type_}
      />
      {wrong && typed !== null && (
        <div className="iai-Field-problem" data-severity="error">
          {trans('This is not JSON yet; texts stand in double quotes.')}
        </div>
      )}
    </>
  );
}

function attempt(text: string): { value: Json } | null {
  try {
    return { value: parseJson(text) };
  } catch {
    return null;
  }
}

/** JSON on several lines, unless that would respell a number. */
function indented(value: Json): string {
  const line = jsonLine(value);
  const text = JSON.stringify(value, null, 2);
  const parsed = attempt(text);
  return parsed && jsonLine(parsed.value) === line ? text : line;
}

/** The path of a nested flow, or how many nodes stand in it here. */
function Body(props: ControlProps) {
  const { value } = props;
  const { trans } = useForm();
  if (!isObject(value)) {
    return <Text {...props} />;
  }
  const count = isObject(value.nodes) ? Object.keys(value.nodes).length : 0;
  return (
    <output id={props.id} className="iai-Wired">
      {trans('A nested flow of {count} nodes. Open it to edit it.', { count })}
    </output>
  );
}

interface EditorControl extends ControlProps {
  readonly language: EditorLanguage;
  readonly text: string;
  onText(text: string): void;
}

function Editor({ id, language, text, label, readOnly, field, onText }: EditorControl) {
  const { editors, names } = useForm();
  const element = useRef<HTMLDivElement>(null);
  const editor = useRef<ReturnType<typeof mountEditor> | null>(null);
  const props: EditorProps = {
    language,
    label,
    readOnly,
    names,
    value: text,
    onChange: onText
  };
  const first = useRef(props);
  const example = useRef(hint(field));
  useEffect(() => {
    const host = element.current;
    if (host) {
      editor.current = mountEditor(editors, host, first.current, example.current);
    }
    return () => editor.current?.dispose();
  }, [editors]);
  useEffect(() => editor.current?.update(props));
  return (
    <div ref={element} id={id} className="iai-Control iai-EditorControl" data-language={language} />
  );
}

export const CONTROLS: Readonly<Record<Control, (props: ControlProps) => React.JSX.Element>> = {
  wired: Wired,
  python: code('python'),
  sql: code('sql'),
  template: code('prompt'),
  expression: code('expression'),
  body: Body,
  json: JsonControl,
  entries: Entries,
  text: Text,
  secret: Secret,
  number: Numeric,
  boolean: Toggle,
  choice: Choice,
  list: List
};
