/** Puts a text into every place where a stranger's text can appear. */
import type { Controller, Panel } from '../core/controller';
import { FlowFileError } from '../core/file';
import type { Flow } from '../core/flow';
import { IDLE, type Bundle, type NodeState, type TimelineStep, type Wait } from '../core/protocol';
import type { PageKernel } from './kernel';

/** Places that outputs of nodes reach. */
const OUTPUTS: Readonly<Record<string, (text: string) => Partial<NodeState>>> = {
  log: text => ({ log: text }),
  error: text => ({
    state: 'failed',
    error: { code: 'failed', message: text, step: text, trace: text }
  }),
  agent: text => outputs({ kind: 'json', type: 'json', text: agentOf(text), cut: false }),
  ask: text => ({ state: 'waiting', wait: askOf(text) }),
  status: text => ({ state: 'running', text }),
  text: text => outputs({ kind: 'text', type: 'text', text, size: text.length }),
  json: text =>
    outputs({ kind: 'json', type: 'json', text: JSON.stringify({ [text]: [text] }), cut: false }),
  'json-source': text => outputs({ kind: 'json', type: 'json', text, cut: true }),
  table: text =>
    outputs({
      kind: 'table',
      type: 'table',
      columns: [{ name: text, type: text }],
      rows: [[text], [null], ['NaN']],
      total: 3
    }),
  object: text => outputs({ kind: 'object', type: text, text, size: 1 }),
  port: text => ({ outputs: { [text]: { kind: 'text', type: text, text, size: text.length } } }),
  html: text => displayed('text/html', text),
  markdown: text => displayed('text/markdown', text),
  latex: text => displayed('text/latex', text),
  svg: text => displayed('image/svg+xml', text),
  png: text => displayed('image/png', text),
  'display-json': text => displayed('application/json', text),
  'display-text': text => displayed('text/plain', text),
  'unknown-type': text => displayed(text, text)
};

/** Places of the flow itself. */
const PARTS: Readonly<Record<string, (flow: Flow, text: string) => Flow>> = {
  label: (flow, text) => withNode(flow, { title: text }),
  config: (flow, text) => withNode(flow, { config: { text } }),
  type: (flow, text) => withNode(flow, { type: text.slice(0, 200) }),
  note: (flow, text) => ({
    ...flow,
    notes: [{ id: 'note', text, x: 0, y: 200, width: 240, height: 120 }]
  }),
  group: (flow, text) => ({ ...flow, groups: [{ id: 'group', title: text, nodes: ['shown'] }] }),
  'flow-name': (flow, text) => ({ ...flow, name: text }),
  parameter: (flow, text) => ({
    ...flow,
    parameters: { topic: { type: 'string', default: text, description: text } }
  }),
  'parameter-name': (flow, text) => ({ ...flow, parameters: { [text]: { type: 'string' } } }),
  'node-id': (flow, text) => ({
    ...flow,
    nodes: { ...flow.nodes, [text]: { type: 'text.value' } }
  }),
  'tool-name': (flow, text) => withNode(flow, { config: { [text]: text } }),
  'file-name': (flow, text) => withNode(flow, { type: 'table.read', config: { path: text } })
};

const STEP: Omit<TimelineStep, 'path' | 'node' | 'type' | 'source'> = {
  state: 'completed',
  attempt: 1,
  started_at: 1,
  ended_at: 2,
  queue_wait_s: 0
};

export const PLACES: readonly string[] = [
  ...Object.keys(OUTPUTS),
  ...Object.keys(PARTS),
  'toast',
  'problem',
  'help',
  'step',
  'version'
];

/**
 * Show a text in one place of a small flow; false: no flow can hold such a text.
 *
 * @throws Error There is no such place.
 */
export function showText(
  controller: Controller,
  kernel: PageKernel,
  text: string,
  where: string
): boolean {
  const change = PARTS[where];
  const output = OUTPUTS[where];
  const plain = withNode(bare(controller.document.flow.get()), {});
  try {
    controller.document.edit('Show', () => (change ? change(plain, text) : plain));
  } catch (error) {
    if (error instanceof FlowFileError) {
      return false;
    }
    throw error;
  }
  kernel.push([['shown', { ...IDLE, attempt: 1, source: 'executed', ...output?.(text) }]]);
  controller.select(['shown']);
  controller.toggle('inspector', true);
  if (!change && !output) {
    elsewhere(controller, kernel, text, where);
  }
  return true;
}

function elsewhere(controller: Controller, kernel: PageKernel, text: string, where: string): void {
  if (where === 'toast') {
    controller.services.notify(text, 'error');
  } else if (where === 'problem') {
    const place = { place: 'nodes.shown.config.text', node: 'shown', field: 'text' };
    controller.problems.set([
      { code: text, severity: 'error', message: text, remedy: text, ...place }
    ]);
    controller.toggle('problems', true);
  } else if (where === 'help') {
    controller.catalog.update(catalog => {
      const known = catalog.get('text.value');
      const told = { category: text, title: text, summary: text, help: text };
      return known ? new Map(catalog).set('text.value', { ...known, ...told }) : catalog;
    });
    controller.toggle('palette', true);
  } else if (where === 'step') {
    kernel.steps = [{ ...STEP, path: text, node: text, type: text, source: text }];
    reopen(controller, 'timeline');
  } else if (where === 'version') {
    kernel.versions = [{ version: 'a'.repeat(64), saved_at: 1, note: text, current: false }];
    reopen(controller, 'history');
  } else {
    throw new Error(`There is no place called ${where}; there are ${PLACES.join(', ')}.`);
  }
}

/** A panel asks the kernel when it opens. */
function reopen(controller: Controller, panel: Panel): void {
  controller.toggle(panel, false);
  requestAnimationFrame(() => controller.toggle(panel, true));
}

function bare(flow: Flow): Flow {
  const node = { type: 'text.value' };
  return {
    ...flow,
    name: '',
    parameters: {},
    nodes: { shown: node },
    edges: [],
    layout: { shown: [0, 0] },
    notes: [],
    groups: []
  };
}

function withNode(flow: Flow, change: Partial<Flow['nodes'][string]>): Flow {
  return { ...flow, nodes: { shown: { type: 'text.value', ...change } } };
}

function outputs(preview: NodeState['outputs'][string]): Partial<NodeState> {
  return { state: 'completed', outputs: { out: preview } };
}

/** The trace of an agent in which everybody says the text. */
export function agentOf(text: string): string {
  const call = {
    id: text,
    name: text,
    arguments: { [text]: text },
    state: 'failed',
    result: text,
    source: text,
    reason: text
  };
  return JSON.stringify({
    kind: 'agent-trace/1',
    agent: text,
    model: text,
    state: 'stopped',
    turns: [{ n: 1, text, thinking: text, stop_reason: text, calling: text, calls: [call] }],
    totals: { currency: text },
    reason: text,
    plan: [{ text, done: false }]
  });
}

/** A question of an agent, worded by a stranger. */
export function askOf(text: string): Wait {
  const call = { tool: text, source: text, why: text, effects: 'write' };
  const given = { type: 'object', default: { [text]: text } };
  return {
    step: 'shown',
    key: text,
    kind: 'approval',
    name: '',
    message: text,
    form: { type: 'object', properties: { arguments: given }, 'x-call': call },
    due: null
  };
}

function displayed(type: string, text: string): Partial<NodeState> {
  const bundle: Bundle = { data: { [type]: text } };
  return {
    state: 'completed',
    displays: [bundle],
    outputs: { out: { kind: 'bundle', type: 'any', bundle } }
  };
}
