/** One field of a form, made from its JSON Schema. */
import type { Json, JsonObject } from '../core/flow';
import type { Trans } from '../core/i18n';

/** An input element and how a value goes in and out of it. */
export interface Field {
  readonly input: HTMLElement & { disabled: boolean };
  /** What stands beside the input; left out: nothing. */
  readonly beside?: HTMLElement;
  show(value: Json | undefined): void;
  /** The value in it; undefined: none, the default applies. @throws Error why it is none */
  read(): Json | undefined;
}

export interface FieldOptions {
  readonly schema: JsonObject;
  readonly secrets: readonly string[];
  /** Parameters that may stand in place of a number. */
  readonly parameters: readonly string[];
  readonly trans: Trans;
}

const LONG = new Set(['template', 'python', 'sql', 'text']);

/** Choose an input for a schema; what no plain input can hold is written as JSON. */
export function makeField(options: FieldOptions): Field {
  const { schema } = options;
  const widget = schema['x-widget'];
  const type = typeOf(schema);
  if (Array.isArray(schema.enum)) {
    return select(schema.enum as readonly Json[], options);
  }
  if (type === 'boolean') {
    return select([true, false], options);
  }
  if (type === 'number' || type === 'integer') {
    return number(options, type === 'integer');
  }
  if (type === 'string') {
    return widget === 'secret' ? secret(options) : text(options, LONG.has(String(widget)));
  }
  return json(options);
}

/** The one type besides null; "" when there are several. */
function typeOf(schema: JsonObject): string {
  const choices = Array.isArray(schema.anyOf) ? (schema.anyOf as readonly JsonObject[]) : [schema];
  const types = choices.map(choice => choice.type).filter(type => type !== 'null');
  return types.length === 1 && typeof types[0] === 'string' ? types[0] : '';
}

function placeholder({ schema }: FieldOptions): string {
  const standard = schema.default;
  if (standard === undefined || standard === null) {
    return '';
  }
  return typeof standard === 'string' ? standard : JSON.stringify(standard);
}

function select(choices: readonly Json[], options: FieldOptions): Field {
  const input = document.createElement('select');
  const label = (value: Json): string =>
    typeof value === 'string' ? value : JSON.stringify(value);
  const standard = placeholder(options);
  const none = standard
    ? options.trans('Default ({value})', { value: standard })
    : options.trans('Not set');
  const fill = (values: readonly Json[]): void =>
    input.replaceChildren(
      option(none, ''),
      ...values.map((value, index) => option(label(value), String(index)))
    );
  let offered = choices;
  fill(offered);
  return {
    input,
    show: value => {
      if (value !== undefined && !offered.some(choice => choice === value)) {
        offered = [...choices, value];
        fill(offered);
      }
      input.value = value === undefined ? '' : String(offered.indexOf(value));
    },
    read: () => (input.value === '' ? undefined : offered[Number(input.value)])
  };
}

function option(label: string, value: string): HTMLOptionElement {
  const made = document.createElement('option');
  made.value = value;
  made.textContent = label;
  return made;
}

function text(options: FieldOptions, long: boolean): Field {
  const input = document.createElement(long ? 'textarea' : 'input');
  input.placeholder = placeholder(options);
  return {
    input,
    show: value => {
      input.value =
        typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
    },
    read: () => (input.value === '' ? undefined : input.value)
  };
}

let lists = 0;

/** A text that may name a secret: the names are offered as it is written. */
function secret(options: FieldOptions): Field {
  const field = text(options, false);
  const names = document.createElement('datalist');
  lists += 1;
  names.id = `iai-secrets-${lists}`;
  names.append(...options.secrets.map(name => option('', `secret:${name}`)));
  field.input.setAttribute('list', names.id);
  return { ...field, beside: names };
}

function number(options: FieldOptions, whole: boolean): Field {
  const input = document.createElement('input');
  input.inputMode = 'decimal';
  input.placeholder = placeholder(options);
  return {
    input,
    show: value => {
      input.value = value === undefined || value === null ? '' : String(value);
    },
    read: () => {
      const written = input.value.trim();
      const value = Number(written);
      if (written === '') {
        return undefined;
      }
      if (!Number.isFinite(value) || (whole && !Number.isInteger(value))) {
        throw new Error(numberWanted(options, whole));
      }
      return value;
    }
  };
}

function numberWanted({ parameters, trans }: FieldOptions, whole: boolean): string {
  const wanted = whole ? trans('Write a whole number.') : trans('Write a number.');
  const example = parameters[0] && `{{params.${parameters[0]}}}`;
  return example ? `${wanted} ${trans('Or a parameter: {example}', { example })}` : wanted;
}

function json(options: FieldOptions): Field {
  const input = document.createElement('textarea');
  input.placeholder = placeholder(options);
  input.spellcheck = false;
  return {
    input,
    show: value => {
      input.value = value === undefined ? '' : JSON.stringify(value, null, 2);
    },
    read: () => {
      try {
        return input.value.trim() === '' ? undefined : (JSON.parse(input.value) as Json);
      } catch {
        throw new Error(options.trans('Write JSON: texts stand in double quotes.'));
      }
    }
  };
}
