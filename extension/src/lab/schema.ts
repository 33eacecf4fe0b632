/** A node type's JSON Schema as JupyterLab's form component shows it: one control for each field. */
import type { Json, JsonObject } from '../core/flow';

/** Editors of the form; each is a field of its own in `form.tsx`. */
export type Control =
  | 'wired'
  | 'python'
  | 'sql'
  | 'template'
  | 'expression'
  | 'body'
  | 'json'
  | 'entries'
  | 'text'
  | 'secret'
  | 'number'
  | 'boolean'
  | 'choice'
  | 'list';

const CODE: Readonly<Record<string, Control>> = {
  template: 'template',
  expression: 'expression',
  python: 'python',
  sql: 'sql',
  body: 'body',
  text: 'template'
};

export function propertiesOf(schema: JsonObject): Readonly<Record<string, JsonObject>> {
  return isObject(schema.properties)
    ? (schema.properties as Readonly<Record<string, JsonObject>>)
    : {};
}

/** The field's schema itself, where `null` only means that the field is left out. */
export function essence(field: JsonObject): JsonObject {
  const { anyOf, ...rest } = field;
  if (!Array.isArray(anyOf)) {
    return field;
  }
  const options = anyOf.filter(isObject).filter(option => option.type !== 'null');
  return options.length === 1 ? { ...options[0], ...rest } : field;
}

/** Whether the field's texts may name secrets: `secret:NAME`. */
export function namesSecrets(field: JsonObject): boolean {
  return field['x-widget'] === 'secret';
}

export function controlOf(field: JsonObject): Control {
  const widget = field['x-widget'];
  if (typeof widget === 'string' && CODE[widget]) {
    return CODE[widget];
  }
  const { type, enum: choices, items, properties, additionalProperties } = essence(field);
  if (Array.isArray(choices) && choices.every(choice => typeof choice !== 'object')) {
    return 'choice';
  }
  if (type === 'array' && isObject(items) && items.type === 'string') {
    return 'list';
  }
  if (type === 'object' && !properties && isObject(additionalProperties)) {
    return additionalProperties.type === 'string' ? 'entries' : 'json';
  }
  if (type === 'string') {
    return namesSecrets(field) ? 'secret' : 'text';
  }
  if (type === 'number' || type === 'integer') {
    return 'number';
  }
  return type === 'boolean' ? 'boolean' : 'json';
}

/**
 * The schema for the form: nothing but fields without defaults. A default stands in the control and
 * is not written into the flow.
 */
export function formSchema(schema: JsonObject, extra: readonly string[]): JsonObject {
  const properties: Record<string, JsonObject> = {};
  for (const [name, field] of Object.entries(propertiesOf(schema))) {
    const { title, description } = field;
    // A field without anything to it would be left out.
    properties[name] = { title: title ?? name, ...(description ? { description } : {}) };
  }
  for (const name of extra) {
    properties[name] ??= { title: name };
  }
  return { type: 'object', properties };
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
