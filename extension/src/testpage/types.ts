/** A few node types, enough to draw with. */
import type { Catalog, NodeType, Port } from '../core/catalog';
import type { JsonObject } from '../core/flow';
import { catalogOf } from '../core/sync';

const port = (name: string, type: string, required = true): Port => ({
  name,
  type,
  required,
  help: ''
});

interface Parts {
  readonly category?: string;
  readonly inputs?: readonly Port[];
  readonly outputs?: readonly Port[];
  readonly fields?: JsonObject;
  readonly bodies?: readonly string[];
  /** Whether any name can be wired. */
  readonly free?: boolean;
}

function type(name: string, summary: string, parts: Parts): NodeType {
  const fields = parts.fields ?? {};
  return {
    type: name,
    version: 1,
    category: parts.category ?? 'Text',
    title: name.split('.').at(-1) ?? name,
    summary,
    help: summary,
    inputs: parts.inputs ?? [],
    outputs: parts.outputs ?? [port('out', 'text')],
    config: { type: 'object', properties: fields, additionalProperties: false },
    config_ports: {},
    free_inputs: parts.free ? 'any' : null,
    free_outputs: parts.free ? 'any' : null,
    templates: [],
    expressions: [],
    bodies: parts.bodies ?? [],
    effects: 'none',
    source: { kind: 'pack', name: 'testpage' }
  };
}

export const TYPES: readonly NodeType[] = [
  type('text.value', 'A text.', { fields: { text: { type: 'string', description: 'The text.' } } }),
  type('text.upper', 'A text in capitals.', { inputs: [port('text', 'text')] }),
  type('text.split', 'Split a text.', {
    inputs: [port('text', 'text')],
    outputs: [port('out', 'list[text]')],
    fields: {
      separator: { type: 'string', default: '\n', description: 'What stands between the parts.' },
      limit: { type: 'integer', description: 'Most parts.' },
      trim: { type: 'boolean', default: true }
    }
  }),
  type('table.read', 'Read a table.', {
    category: 'Tables',
    outputs: [port('out', 'table')],
    fields: { path: { type: 'string' }, format: { enum: ['csv', 'parquet'], default: 'csv' } }
  }),
  type('table.sql', 'Ask tables in SQL.', {
    category: 'Tables',
    inputs: [port('table', 'table')],
    outputs: [port('out', 'table')],
    fields: { query: { type: 'string', 'x-widget': 'sql' } }
  }),
  type('json.pick', 'Pick a part of JSON.', {
    category: 'Data',
    inputs: [port('value', 'json')],
    outputs: [port('out', 'json')],
    fields: { path: { type: 'string' } }
  }),
  type('image.chart', 'Draw a chart.', {
    category: 'Charts',
    inputs: [port('table', 'table')],
    outputs: [port('out', 'image')]
  }),
  type('map', 'Run a flow for each item.', {
    category: 'Control',
    inputs: [port('items', 'any')],
    outputs: [port('out', 'list[any]')],
    fields: { body: { type: 'object', 'x-widget': 'body' } },
    bodies: ['body']
  }),
  type('subflow', 'Run another flow as one node.', {
    category: 'Control',
    outputs: [],
    fields: { body: { type: 'object', 'x-widget': 'body' } },
    bodies: ['body'],
    free: true
  })
];

export const CATALOG: Catalog = catalogOf(TYPES, message => message);
