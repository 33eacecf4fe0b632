/** A form for values that a JSON Schema describes, as the canvas shows it. */
import { useLayoutEffect, useRef } from 'react';
import type { Json, JsonObject } from '../core/flow';
import type { Trans } from '../core/i18n';
import type { FormProps, Mounted } from '../core/services';
import { useHost } from './host';

interface Props {
  readonly schema: JsonObject;
  readonly value: JsonObject;
  readonly readOnly?: boolean;
  onChange(value: JsonObject): void;
}

export function SchemaForm({ schema, value, readOnly = false, onChange }: Props) {
  const host = useHost();
  const element = useRef<HTMLDivElement>(null);
  const mounted = useRef<Mounted<FormProps> | null>(null);
  const props: FormProps = {
    schema,
    value,
    readOnly,
    wired: {},
    problems: [],
    secrets: [],
    names: [],
    onChange: (field, given) => onChange(changed(value, field, given))
  };
  const first = useRef({ host, props });
  useLayoutEffect(() => {
    if (!element.current) {
      return undefined;
    }
    const made = first.current.host.mountForm(element.current, first.current.props);
    mounted.current = made;
    return () => {
      mounted.current = null;
      // a root may not be unmounted while another one is drawn
      queueMicrotask(() => made.dispose());
    };
  }, []);
  // before the event ends: a field that still had the old text would lose what was typed
  useLayoutEffect(() => mounted.current?.update(props));
  return <div ref={element} />;
}

/** An empty field is one that was left out. */
export function changed(value: JsonObject, field: string, given: Json | undefined): JsonObject {
  const rest = Object.entries(value).filter(([name]) => name !== field);
  const all = given === undefined || given === '' ? rest : [...rest, [field, given] as const];
  return Object.fromEntries(all) as JsonObject;
}

/** Which required fields have no value yet, in a sentence; "": all have one. */
export function lacking(trans: Trans, schema: JsonObject, value: JsonObject): string {
  const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
  const names = required.filter(name => !(name in value)).map(name => titleOf(schema, name));
  return names.length > 0 ? trans('Still needed: {names}', { names: names.join(', ') }) : '';
}

/** A field as it is called in the form. */
function titleOf({ properties }: JsonObject, name: string): string {
  const field = (properties as Readonly<Record<string, JsonObject>> | undefined)?.[name];
  return typeof field?.title === 'string' ? field.title : name;
}

export function hasFields(schema: JsonObject): boolean {
  const { properties } = schema;
  return typeof properties === 'object' && Object.keys(properties ?? {}).length > 0;
}
