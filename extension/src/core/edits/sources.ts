/** Where the fields of a node come from: a written value, a wire, or a parameter of the flow. */
import type { Catalog } from '../catalog';
import { PARAMS, type Flow, type JsonObject } from '../flow';
import { edgesInto } from '../graph';
import { fits, sourceType, targetType } from '../ports';
import { templatePaths } from '../template';
import { connect, disconnect } from './edges';
import { setConfig } from './nodes';

/** What is wired to each field of a node: `params.limit`, `load.out`. */
export function wiredFields(flow: Flow, id: string): Readonly<Record<string, string>> {
  const found = new Map<string, string[]>();
  for (const { source, sourcePort, targetPort } of edgesInto(flow, id)) {
    found.set(targetPort, [...(found.get(targetPort) ?? []), `${source}.${sourcePort}`]);
  }
  return Object.fromEntries([...found].map(([field, ends]) => [field, ends.join(', ')]));
}

/**
 * The parameters that fit each field of a node. Fields with an editor of their own are left out:
 * what they hold is written, and templates name parameters themselves.
 */
export function parametersFor(
  flow: Flow,
  id: string,
  catalog: Catalog
): Readonly<Record<string, readonly string[]>> {
  const config = catalog.get(flow.nodes[id]?.type ?? '')?.config;
  const fields = Object.entries((config?.properties ?? {}) as Record<string, JsonObject>);
  const written = fields.filter(([, field]) => field['x-widget'] === undefined);
  return Object.fromEntries(
    written.map(([field]) => [
      field,
      Object.keys(flow.parameters).filter(name => suits(flow, catalog, name, id, field))
    ])
  );
}

function suits(flow: Flow, catalog: Catalog, name: string, id: string, field: string): boolean {
  const given = sourceType(flow, catalog, PARAMS, name);
  const wanted = targetType(flow, catalog, id, field);
  return given !== undefined && wanted !== undefined && fits(wanted, given);
}

/** Feed a field from a parameter, in place of what is written or wired; null: from nothing. */
export function setSource(
  flow: Flow,
  catalog: Catalog,
  id: string,
  field: string,
  parameter: string | null
): Flow {
  const wires = edgesInto(flow, id).filter(edge => edge.targetPort === field);
  const open = disconnect(
    flow,
    wires.map(edge => edge.index)
  );
  if (parameter === null) {
    return open;
  }
  const from = { node: PARAMS, port: parameter, side: 'output' } as const;
  const fed = connect(open, from, { node: id, port: field, side: 'input' }, catalog);
  return setConfig(fed, id, field, undefined);
}

/** The parameter that a text stands for by itself, as in `{{params.limit}}`; "": none. */
export function namedParameter(text: string): string {
  const trimmed = text.trim();
  const [only, ...others] = templatePaths(trimmed) ?? [];
  const whole = only?.start === 0 && only.end === trimmed.length && only.rest === '';
  return whole && others.length === 0 ? only.parameter : '';
}
