/** A form for values that a JSON Schema describes, as the canvas shows it. */
import { useEffect, useLayoutEffect, useRef } from 'react';
import type { Json, JsonObject } from '../core/flow';
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
  useEffect(() => mounted.current?.update(props));
  return <div ref={element} />;
}

/** An empty field is one that was left out. */
export function changed(value: JsonObject, field: string, given: Json | undefined): JsonObject {
  const rest = Object.entries(value).filter(([name]) => name !== field);
  const all = given === undefined || given === '' ? rest : [...rest, [field, given] as const];
  return Object.fromEntries(all) as JsonObject;
}

/** The required fields that have no value yet. */
export function missing(schema: JsonObject, value: JsonObject): string[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  return required.map(String).filter(name => !(name in value));
}

export function hasFields(schema: JsonObject): boolean {
  const { properties } = schema;
  return typeof properties === 'object' && Object.keys(properties ?? {}).length > 0;
}
