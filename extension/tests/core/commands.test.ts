import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Catalog, NodeType } from '../../src/core/catalog';
import { commandFor, commands, refusalFor, type Command } from '../../src/core/commands';
import { Controller } from '../../src/core/controller';
import { FlowDocument } from '../../src/core/document';
import { inputsSchema, missingInputs } from '../../src/core/inputs';
import { parseFlow } from '../../src/core/file';
import { EMPTY_FLOW } from '../../src/core/flow';
import { translator } from '../../src/core/i18n';
import { KernelLink, type Transport } from '../../src/core/link';
import { VERSION } from '../../src/core/protocol';
import { RunStore } from '../../src/core/runs';
import type { Services } from '../../src/core/services';
import { Store } from '../../src/core/store';

const TEXT = `{
  "format": "iaiflow/1",
  "name": "Test",
  "nodes": {
    "a": {"type": "make"},
    "b": {"type": "take"},
    "c": {"type": "take"}
  },
  "edges": ["a.out -> b.text", "b.out -> c.text"],
  "layout": {"a": [0, 0], "b": [300, 10], "c": [600, 20]}
}
`;

function nodeType(type: string, inputs: NodeType['inputs']): NodeType {
  return {
    type,
    version: 1,
    category: 'Text',
    title: type,
    summary: '',
    help: '',
    inputs,
    outputs: [{ name: 'out', type: 'text', required: false, help: '' }],
    config: { type: 'object', properties: {} },
    config_ports: {},
    free_inputs: null,
    free_outputs: null,
    templates: [],
    expressions: [],
    bodies: [],
    effects: 'none',
    source: { kind: 'pack', name: 'test' }
  };
}

const CATALOG: Catalog = new Map(
  [
    nodeType('make', []),
    nodeType('take', [{ name: 'text', type: 'text', required: true, help: '' }])
  ].map(type => [type.type, type])
);

const SUBFLOW = { ...nodeType('subflow', []), bodies: ['body'], free_inputs: 'any' };
const WITH_SUBFLOW: Catalog = new Map([...CATALOG, ['subflow', SUBFLOW]]);

/** A kernel that answers every request with the same result. */
class Script implements Transport {
  readonly closed = new Store(false);
  readonly asked: { do: string; args: Record<string, unknown> }[] = [];
  result: unknown = {};
  private listener: (message: unknown, buffers: DataView[]) => void = () => undefined;

  send(message: unknown): void {
    const { id, ...rest } = message as { id: number; do: string; args: Record<string, unknown> };
    this.asked.push(rest);
    queueMicrotask(() => this.listener({ v: VERSION, reply: id, result: this.result }, []));
  }

  onMessage(listener: (message: unknown, buffers: DataView[]) => void): () => void {
    this.listener = listener;
    return () => undefined;
  }
}

let clipboard = '';
let notices: string[] = [];
let controller: Controller;
let list: Command[];

function services(): Services {
  const absent = (): never => {
    throw new Error('not in this test');
  };
  return {
    kind: 'plain',
    language: 'en',
    trans: translator('en'),
    mountForm: absent,
    mountEditor: absent,
    mountOutput: absent,
    showMarkdown: absent,
    mountWidget: () => Promise.resolve(null),
    insertCell: () => false,
    replaceCell: () => false,
    openFile: null,
    openWorkspaceFile: null,
    openText: null,
    openChat: null,
    notify: message => void notices.push(message),
    copy: async text => void (clipboard = text),
    paste: async () => clipboard
  };
}

async function run(id: string): Promise<void> {
  const command = list.find(found => found.id === id);
  if (!command?.enabled()) {
    throw new Error(`${id} is not enabled`);
  }
  await command.run();
}

function enabled(id: string): boolean {
  return list.find(command => command.id === id)?.enabled() ?? false;
}

function ids(): string[] {
  return Object.keys(controller.flow.nodes);
}

async function connect(): Promise<Script> {
  const script = new Script();
  const link = new KernelLink(script, { runs: new RunStore(flush => flush()) });
  await link.hello({});
  controller.link.set(link);
  return script;
}

/** The kernel tells the canvas that a node has an output. */
function made(id: string): void {
  const out = { kind: 'text', type: 'text', text: 'x', size: 1 };
  events([id, { state: 'completed', outputs: { out } }]);
}

let seq = 0;

function events(...list: unknown[]): void {
  controller.link.get()?.runs.apply({ v: VERSION, seq: (seq += 1), events: list } as never);
}

beforeEach(() => {
  clipboard = '';
  notices = [];
  const document = new FlowDocument();
  document.load(TEXT);
  controller = new Controller({ document, services: services(), builtin: CATALOG, mode: 'file' });
  list = commands(controller);
});

describe('commands', () => {
  it('have ids, labels and keys of their own', () => {
    const [names, keys] = [list.map(({ id }) => id), list.flatMap(command => command.keys)];
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(keys).size).toBe(keys.length);
    expect(list.every(({ label, category }) => label && category)).toBe(true);
  });

  it('are found by their keys only while they can be done', () => {
    const press = { key: 'd', ctrlKey: true, metaKey: false, shiftKey: false, altKey: false };
    expect(commandFor(list, press)).toBeUndefined();
    controller.select(['a']);
    expect(commandFor(list, press)?.id).toBe('duplicate');
  });

  it('copy, paste, cut and duplicate, each as one step to undo', async () => {
    controller.select(['a', 'b']);
    await run('copy');
    expect(Object.keys(parseFlow(clipboard).nodes)).toEqual(['a', 'b']);
    await run('paste');
    expect(ids().length).toBe(5);
    expect(controller.view.get().selection.size).toBe(2);
    await run('undo');
    expect(ids()).toEqual(['a', 'b', 'c']);
    controller.select(['c']);
    await run('duplicate');
    expect(ids().length).toBe(4);
    await run('undo');
    controller.select(['b']);
    await run('cut');
    expect(ids()).toEqual(['a', 'c']);
    expect(controller.flow.edges).toEqual([]);
  });

  it('tell why a text cannot be pasted, and change nothing', async () => {
    clipboard = 'no flow';
    await run('paste');
    expect(ids()).toEqual(['a', 'b', 'c']);
    expect(notices).toHaveLength(1);
  });

  it('delete nodes, edges and notes', async () => {
    await run('add-note');
    expect(controller.flow.notes).toHaveLength(1);
    controller.select(['c', ...controller.flow.notes.map(note => note.id)], [0]);
    await run('delete');
    expect([ids(), controller.flow.edges, controller.flow.notes]).toEqual([['a', 'b'], [], []]);
    await run('undo');
    expect(ids()).toEqual(['a', 'b', 'c']);
    expect(controller.flow.edges).toHaveLength(2);
  });

  it('group, ungroup, align and arrange', async () => {
    controller.select(['a', 'b', 'c']);
    await run('group');
    expect(controller.flow.groups[0]?.nodes).toEqual(['a', 'b', 'c']);
    controller.select(['a']);
    await run('ungroup');
    expect(controller.flow.groups).toEqual([]);
    controller.select(['a', 'b', 'c']);
    await run('align-top');
    expect(new Set(ids().map(id => controller.flow.layout[id]?.[1])).size).toBe(1);
    await run('arrange');
    expect(controller.flow.layout['a']?.[0]).toBeLessThan(controller.flow.layout['c']?.[0] ?? 0);
  });

  it('extract a subflow', async () => {
    controller.select(['b']);
    controller.catalog.set(WITH_SUBFLOW);
    await run('extract');
    expect(ids()).toHaveLength(3);
    expect(ids()).not.toContain('b');
  });

  it('edit nothing in a read-only flow', () => {
    controller.select(['a', 'b', 'c'], [0]);
    controller.document.setReadOnly(true);
    const writing = [
      'cut',
      'paste',
      'duplicate',
      'delete',
      'group',
      'extract',
      'arrange',
      'rename'
    ];
    expect(writing.filter(enabled)).toEqual([]);
    expect(enabled('copy')).toBe(true);
  });

  it('run nothing without a kernel', () => {
    const running = ['run-all', 'run-until', 'run-from', 'run-only', 'retry', 'fresh', 'stop'];
    controller.select(['a']);
    expect(running.filter(enabled)).toEqual([]);
  });

  it('run parts of the flow by the outermost node', async () => {
    const script = await connect();
    expect(enabled('run-until')).toBe(false);
    controller.select(['b']);
    await run('run-until');
    expect(script.asked.at(-1)).toMatchObject({ do: 'run', args: { mode: 'until', nodes: ['b'] } });
    controller.look({ scope: [['c', 'body']], selection: new Set() });
    await run('run-only');
    expect(script.asked.at(-1)).toMatchObject({ args: { mode: 'only', nodes: ['c'] } });
  });

  it('ask for the values of parameters before the run', async () => {
    const script = await connect();
    const spec = { type: 'string' };
    controller.document.edit('', flow => ({ ...flow, parameters: { topic: spec } }));
    await run('run-all');
    expect(controller.view.get().asking).toEqual({ mode: 'all', nodes: [] });
    expect(script.asked.some(asked => asked.do === 'run')).toBe(false);
    controller.setInput('topic', 'x');
    await run('run-all');
    expect(script.asked.at(-1)).toMatchObject({ do: 'run', args: { inputs: { topic: 'x' } } });
  });

  it('pin what the kernel has, and unpin it', async () => {
    const script = await connect();
    script.result = { value: [1, 2] };
    controller.select(['a']);
    made('a');
    await run('pin');
    expect(controller.flow.nodes['a']?.pin).toEqual({ out: [1, 2] });
    await run('unpin');
    expect(controller.flow.nodes['a']?.pin).toBeUndefined();
  });

  it('pin and arrange in the flow where they began, wherever the person is by then', async () => {
    const script = await connect();
    script.result = { value: 1 };
    controller.catalog.set(WITH_SUBFLOW);
    controller.select(['b']);
    await run('extract');
    controller.select(['a']);
    made('a');
    const going = [run('pin'), run('arrange')];
    controller.openBody('subflow', 'body');
    controller.edit('', flow => ({ ...flow, nodes: { a: { type: 'make' } }, layout: {} }));
    const inner = controller.flow;
    await Promise.all(going);
    expect(controller.flow).toEqual(inner);
    controller.closeBody(0);
    expect(controller.flow.nodes['a']?.pin).toEqual({ out: 1 });
  });

  it('put code on the clipboard where there is no notebook', async () => {
    const script = await connect();
    script.result = { name: 'a_out', code: 'a_out = flow.value("a", "out")' };
    controller.select(['a']);
    made('a');
    await run('open-in-notebook');
    expect(clipboard).toBe('a_out = flow.value("a", "out")');
    expect(notices).toHaveLength(1);
  });

  it('toggle panels', async () => {
    const toggle = list.find(({ id }) => id === 'toggle-history');
    expect(toggle?.toggled?.()).toBe(false);
    await toggle?.run();
    expect(toggle?.toggled?.()).toBe(true);
  });

  it('toggle the map of the flow', async () => {
    const toggle = list.find(({ id }) => id === 'toggle-map');
    expect(toggle?.toggled?.()).toBe(true);
    await toggle?.run();
    expect(controller.view.get().minimap).toBe(false);
  });

  it('open the quick search at the pointer', async () => {
    const place = vi.fn(() => [3, 4] as const);
    controller.surface = { pointer: () => [1, 2], toScreen: place } as never;
    await run('quick-search');
    expect(controller.view.get().quick).toEqual({ at: [1, 2], screen: [3, 4], wire: null });
  });

  it('open the quick search in the middle of the only selected edge', async () => {
    controller.select([], [1]);
    await run('quick-search');
    expect(controller.view.get().quick).toMatchObject({
      at: [450, 15],
      edge: controller.flow.edges[1]
    });
  });

  it('copy, duplicate and rename notes as well', async () => {
    await run('add-note');
    const [note] = controller.flow.notes;
    expect(controller.view.get().renaming).toBe(note?.id); // what is typed now is its text
    controller.look({ renaming: null });
    await run('rename');
    expect(controller.view.get().renaming).toBe(note?.id);
    await run('copy');
    await run('paste');
    await run('duplicate');
    expect(controller.flow.notes).toHaveLength(3);
  });

  it('extract a whole group, and rename it', async () => {
    controller.catalog.set(WITH_SUBFLOW);
    controller.select(['b', 'c']);
    await run('group');
    controller.select(['group']);
    await run('rename');
    expect(controller.view.get().renaming).toBe('group');
    await run('extract');
    expect(ids()).toEqual(['a', 'subflow']);
  });
});

describe('inputs', () => {
  it('are missing when they have neither default nor value', () => {
    const parameters = {
      topic: { type: 'string' },
      limit: { type: 'integer', default: 3 },
      rows: { type: 'table' }
    };
    const flow = { ...controller.flow, parameters };
    expect(missingInputs(flow, {})).toEqual(['topic', 'rows']);
    expect(missingInputs(flow, { topic: 'x', rows: 1 })).toEqual([]);
    expect(inputsSchema(flow, ['rows', 'limit'])).toEqual({
      type: 'object',
      properties: { limit: parameters.limit, rows: { 'x-port': 'table' } },
      required: ['rows'],
      additionalProperties: false
    });
  });
});

/** A step that changes what can be done, and what can be done then of the commands named. */
type Step = readonly [step: () => unknown, possible: Readonly<Record<string, boolean>>];

describe('what cannot be done', () => {
  const select =
    (...chosen: string[]) =>
    () =>
      controller.select(chosen);
  const runs = (state: string) => () => events(['', { run_id: 'r', state }]);
  const steps: Record<string, readonly Step[]> = {
    'to run': [
      [() => undefined, { 'run-all': false, fresh: false, stop: false, 'clear-cache': false }],
      [connect, { 'run-all': true, fresh: true, stop: false, 'clear-cache': true }],
      [() => undefined, { 'run-until': false, 'run-from': false, 'run-only': false, retry: false }],
      [select('a'), { 'run-until': true, 'run-from': true, 'run-only': true }],
      [runs('running'), { 'run-all': false, 'run-until': false, stop: true }],
      [runs('failed'), { 'run-all': true, retry: true, stop: false }],
      [() => controller.document.edit('', flow => ({ ...flow, nodes: {} })), { 'run-all': false }]
    ],
    'to order': [
      [select('a'), { 'align-left': false, 'distribute-horizontally': false }],
      [select('a', 'b'), { 'align-left': true, 'distribute-horizontally': false }],
      [select('a', 'b', 'c'), { 'distribute-horizontally': true }]
    ],
    'to take away': [
      [() => undefined, { delete: false, cut: false, copy: false, duplicate: false }],
      [select('params'), { delete: false, rename: false }],
      [select('a'), { delete: true, cut: true, copy: true, rename: true, ungroup: false }],
      [() => controller.select([], [0]), { delete: true, cut: false }],
      [() => controller.document.setReadOnly(true), { delete: false, paste: false, undo: false }]
    ],
    'with outputs': [
      [select('a'), { pin: false, 'open-in-notebook': false, 'copy-python': false }],
      [connect, { pin: false, 'open-in-notebook': false, 'copy-python': true }],
      [() => made('a'), { pin: true, unpin: false, 'open-in-notebook': true }],
      [select('a', 'b'), { pin: true, 'open-in-notebook': false }],
      [() => controller.document.setReadOnly(true), { pin: false }]
    ],
    'with nothing': [
      [() => controller.document.edit('', () => EMPTY_FLOW), { 'select-all': false, fit: false }],
      [() => run('add-note'), { 'select-all': true, fit: true, arrange: false }]
    ]
  };

  it.each(Object.entries(steps))('%s is not enabled', async (_name, parts) => {
    for (const [step, possible] of parts) {
      await step();
      const found = Object.keys(possible).map(id => [id, enabled(id)]);
      expect(Object.fromEntries(found)).toEqual(possible);
    }
  });

  it('says why, and only then', async () => {
    const why = (id: string): string => list.find(command => command.id === id)?.why?.() ?? '-';
    expect(why('run-all')).toBe('Choose a kernel to run the flow.');
    expect(why('align-left')).toBe('Select at least 2.');
    await connect();
    expect(why('run-all')).toBe('');
    expect(why('run-until')).toBe('Select a node first.');
    expect(why('retry')).toBe('No run has failed or was stopped.');
    controller.select(['a']);
    expect(why('pin')).toBe('Run the node first: it has no output yet.');
    events(['', { run_id: 'r', state: 'running' }]);
    expect(why('run-all')).toBe('A run is under way.');
    for (const command of list.filter(({ why: said }) => said?.())) {
      expect([command.id, command.enabled()]).toEqual([command.id, false]);
    }
  });

  const press = (key: string, ctrlKey = false): string =>
    refusalFor(list, { key, ctrlKey, metaKey: false, shiftKey: false, altKey: false });

  it('says to whom presses its key why the flow cannot be changed', () => {
    controller.select(['a']);
    expect(press('/')).toBe('');
    controller.document.setReadOnly(true);
    const changing = ['/', 'l', 'n', 'w', 'F2', 'Delete', 'Backspace'].map(key => press(key));
    const controlled = ['z', 'y', 'x', 'v', 'd', 'g'].map(key => press(key, true));
    expect(new Set([...changing, ...controlled])).toEqual(new Set(['This flow is read-only.']));
    expect([press('c', true), press('1'), press('f', true)]).toEqual(['', '', '']);
  });

  it('says so while versions are compared, and of a file that cannot be read', () => {
    controller.look({ compared: { version: 'v', flow: EMPTY_FLOW } });
    expect(press('/')).toBe('Stop comparing first: nothing is edited meanwhile.');
    controller.look({ compared: null });
    controller.document.load('{');
    expect(press('/')).toBe('The file cannot be read: correct its text first.');
  });
});
