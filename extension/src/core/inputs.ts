/** Values that a run needs for the flow's parameters. */
import type { Flow, JsonObject } from './flow';

/** Types of values that are no JSON: they reach a parameter only from inside a run. */
const LIVE: ReadonlySet<string> = new Set(['table', 'image', 'bytes', 'message', 'any']);

/** Parameters without a default that have no value yet. */
export function missingInputs(flow: Flow, inputs: JsonObject): string[] {
  return Object.entries(flow.parameters)
    .filter(([name, spec]) => !('default' in spec) && !(name in inputs))
    .map(([name]) => name);
}

/** The JSON Schema of a form that asks for the values of parameters; `named`: only of these. */
export function inputsSchema(
  flow: Pick<Flow, 'parameters'>,
  named?: readonly string[]
): JsonObject {
  const entries = Object.entries(flow.parameters).filter(
    ([name]) => named === undefined || named.includes(name)
  );
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, spec]) => [name, formSpec(spec)])),
    required: entries.filter(([, spec]) => !('default' in spec)).map(([name]) => name),
    additionalProperties: false
  };
}

/** Port types become `x-port`, as in the configuration of nodes. */
function formSpec(spec: JsonObject): JsonObject {
  const { type, ...rest } = spec;
  const plain = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'];
  if (type === undefined || typeof type !== 'string' || plain.includes(type)) {
    return spec;
  }
  return { ...rest, 'x-port': type };
}

/** Whether a person can write a value for this parameter. */
export function isWritable(spec: JsonObject): boolean {
  return !(typeof spec.type === 'string' && LIVE.has(spec.type));
}
