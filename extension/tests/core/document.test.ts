import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { FlowDocument } from '../../src/core/document';
import type { Flow, FlowNode, Json } from '../../src/core/flow';

const FILE = `{
  "format": "iaiflow/1",
  "name": "Digest",
  "nodes": {
    "fetch": {"type": "http.request", "config": {"b": 1.0, "a": [2.0], "9": 1, "1": {"2": 1, "1": 1e-7}}},
    "clean": {"type": "text.clean", "timeout": 5.0}
  },
  "edges": [
    "fetch.out -> clean.text"
  ],
  "layout": {
    "clean": [280, 0.0],
    "fetch": [0, 0]
  },
  "notes": [{"text": "Why"}]
}
`.replace('1e-7', '1e-07');

function opened(text = FILE): FlowDocument {
  const document = new FlowDocument();
  document.load(text);
  return document;
}

function setNode(id: string, change: Partial<FlowNode>): (flow: Flow) => Flow {
  return flow => ({
    ...flow,
    nodes: { ...flow.nodes, [id]: { ...(flow.nodes[id] as FlowNode), ...change } }
  });
}

function removeNode(id: string): (flow: Flow) => Flow {
  return flow => {
    const without = <T>(entries: { readonly [id: string]: T }): { [id: string]: T } =>
      Object.fromEntries(Object.entries(entries).filter(([key]) => key !== id));
    const [nodes, layout] = [without(flow.nodes), without(flow.layout)];
    const edges = flow.edges.filter(edge => edge.source !== id && edge.target !== id);
    return { ...flow, nodes, layout, edges };
  };
}

const setConfig =
  (id: string, field: string, value: Json) =>
  (flow: Flow): Flow =>
    setNode(id, { config: { ...flow.nodes[id]?.config, [field]: value } })(flow);

function sync(one: Y.Doc, other: Y.Doc): void {
  Y.applyUpdate(other, Y.encodeStateAsUpdate(one, Y.encodeStateVector(other)), 'remote');
  Y.applyUpdate(one, Y.encodeStateAsUpdate(other, Y.encodeStateVector(one)), 'remote');
}

afterEach(() => vi.useRealTimers());

test('a file that nobody changed keeps every byte', () => {
  const own = FILE.replace('"name": "Digest",', '"name" :  "Digest", "edges": [],').replace(
    /"edges": \[\n.*\n {2}\],\n/,
    ''
  );
  for (const text of [FILE, own, `\ufeff${FILE}`, own.replace('"type"', '"version": 1, "type"')]) {
    expect(opened(text).text()).toBe(text);
  }
});

test('a change is the change of one line', () => {
  const document = opened();
  document.edit('Title', setNode('clean', { title: 'Clean' }));
  expect(document.text()).toBe(FILE.replace('"text.clean", ', '"text.clean", "title": "Clean", '));
});

test('a changed field leaves the spelling and the order of the others', () => {
  const document = opened();
  document.edit('Set', setConfig('fetch', 'c', 'x'));
  document.edit('Set', setConfig('fetch', 'a', [0, 2]));
  expect(document.text()).toBe(
    FILE.replace('[2.0]', '[0, 2.0]').replace('1e-07}}', '1e-07}, "c": "x"}')
  );
});

test('undo and redo restore the text and name the step', () => {
  const document = opened();
  const labels: string[] = [];
  document.edited.subscribe(label => labels.push(label));
  document.edit('Delete fetch', removeNode('fetch'));
  const changed = document.text();
  expect(document.state.get()).toMatchObject({
    canUndo: true,
    undoLabel: 'Delete fetch',
    redoLabel: ''
  });
  document.undo();
  expect(document.text()).toBe(FILE);
  expect(document.state.get()).toMatchObject({
    canUndo: false,
    canRedo: true,
    redoLabel: 'Delete fetch'
  });
  document.redo();
  expect(document.text()).toBe(changed);
  expect(document.state.get()).toMatchObject({ canRedo: false, undoLabel: 'Delete fetch' });
  expect(labels).toEqual(['Delete fetch', 'Delete fetch', 'Delete fetch']);
});

test('what changes nothing is no step', () => {
  const document = opened();
  const [before, { revision }] = [document.flow.get(), document.state.get()];
  document.edit('Nothing', same => same);
  document.edit('Copy', same => ({ ...structuredClone(same), notes: same.notes }));
  document.edit('Empty', setNode('clean', { title: '', version: 1, config: {} }));
  expect(document.state.get()).toMatchObject({ canUndo: false, revision });
  expect(document.flow.get()).toBe(before);
});

test('edits with one key merge while they follow each other', () => {
  vi.useFakeTimers();
  const document = opened();
  const move = (x: number, merge?: string): void =>
    document.edit('Move', flow => ({ ...flow, layout: { ...flow.layout, fetch: [x, 0] } }), merge);
  const steps = (): number => {
    let count = 0;
    for (; document.state.get().canUndo; count++) {
      document.undo();
    }
    return count;
  };
  [1, 2, 3].forEach(x => move(x, 'drag'));
  expect(steps()).toBe(1);
  [1, 2, 3].forEach(x => move(x));
  expect(steps()).toBe(3);
  move(1, 'drag');
  move(2, 'other');
  vi.advanceTimersByTime(600);
  move(3, 'other');
  expect(steps()).toBe(3);
  expect(document.text()).toBe(FILE);
});

test('parts that did not change stay the same objects', () => {
  const document = opened();
  const before = document.flow.get();
  document.edit('Set', setConfig('fetch', 'b', 2));
  const after = document.flow.get();
  expect(after.nodes.clean).toBe(before.nodes.clean);
  expect(after.nodes.fetch?.config?.a).toBe(before.nodes.fetch?.config?.a);
  expect(after.edges).toBe(before.edges);
  expect(after.layout).toBe(before.layout);
  expect(after.notes).toBe(before.notes);
});

test('a file that cannot be read is kept untouched and cannot be edited', () => {
  const broken = FILE.replace('"edges"', '"edgse"');
  const document = opened(broken);
  expect(document.state.get().fault).toBe("Unknown key 'edgse'. - Did you mean 'edges'?");
  document.edit('Rename', flow => ({ ...flow, name: 'x' }));
  expect(document.text()).toBe(broken);
  expect(document.state.get().canUndo).toBe(false);
  document.load(FILE);
  expect(document.state.get().fault).toBe('');
  expect(document.text()).toBe(FILE);
  document.load(broken);
  expect(document.flow.get().nodes).toEqual({});
  expect(document.text()).toBe(broken);
});

test('an empty file is a new flow', () => {
  const document = opened('');
  expect(document.state.get().fault).toBe('');
  document.edit('Rename', flow => ({ ...flow, name: 'x' }));
  expect(document.text()).toContain('"name": "x"');
});

test('others see that the file cannot be read, and its text', () => {
  const [one, two] = [opened('{'), new FlowDocument()];
  sync(one.ydoc, two.ydoc);
  expect(two.text()).toBe('{');
  expect(two.state.get().fault).toContain('invalid JSON');
});

test.each<[string, (flow: Flow) => Flow]>([
  ['The number must be finite.', setConfig('fetch', 'a', NaN)],
  [
    'The text holds an invalid character (U+D800) at position 1.',
    setConfig('fetch', 'a', '\ud800')
  ],
  ['This must be a whole number, found a number.', setNode('fetch', { version: 1.5 })],
  [
    "'class' is no port name.",
    flow => ({
      ...flow,
      edges: [{ source: 'a', sourcePort: 'class', target: 'b', targetPort: 'c' }]
    })
  ],
  [
    "Node id 'params' is reserved for the flow's parameters.",
    flow => ({ ...flow, nodes: { params: { type: 'any' } } })
  ],
  [
    'This must be a pair of numbers [x, y], found a list.',
    flow => ({ ...flow, layout: { fetch: [0] as never } })
  ]
])('an edit that could not be read back is refused: %s', (message, change) => {
  const document = opened();
  expect(() => document.edit('Break', change)).toThrow(message);
  expect(document.text()).toBe(FILE);
  expect(document.state.get().canUndo).toBe(false);
});

test('a read-only document takes no edits and no undo, but what others do', () => {
  const [one, two] = [opened(), new FlowDocument({ readOnly: true })];
  sync(one.ydoc, two.ydoc);
  two.edit('Rename', flow => ({ ...flow, name: 'x' }));
  expect(two.text()).toBe(FILE);
  one.edit('Rename', flow => ({ ...flow, name: 'y' }));
  sync(one.ydoc, two.ydoc);
  expect(two.flow.get().name).toBe('y');
});

test('undo leaves what others did meanwhile', () => {
  const [one, two] = [opened(), new FlowDocument()];
  sync(one.ydoc, two.ydoc);
  one.edit('Title', setNode('clean', { title: 'Mine' }));
  two.edit('Set', setConfig('fetch', 'b', 7));
  sync(one.ydoc, two.ydoc);
  one.undo();
  sync(one.ydoc, two.ydoc);
  expect(one.text()).toBe(FILE.replace('"b": 1.0', '"b": 7'));
  expect(two.text()).toBe(one.text());
});

const ids = fc.constantFrom('fetch', 'clean', 'c', 'd', 'e');
const values: fc.Arbitrary<Json> = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string(),
  fc.constant([1, 2]),
  fc.constant({ '2': 1, b: [null] })
);
const field = fc.constantFrom('a', 'b', '1', '__proto__', 'x.y');
const change: fc.Arbitrary<(flow: Flow) => Flow> = fc.oneof(
  fc.tuple(ids, field, values).map(
    ([id, name, value]) =>
      (flow: Flow) =>
        flow.nodes[id] ? setConfig(id, name, value)(flow) : setNode(id, { type: 'any' })(flow)
  ),
  ids.map(id => removeNode(id)),
  ids.map(id => (flow: Flow) => (flow.nodes[id] ? setNode(id, { config: {} })(flow) : flow)),
  fc.tuple(ids, ids).map(([source, target]) => (flow: Flow) => ({
    ...flow,
    edges: [...flow.edges, { source, sourcePort: 'out', target, targetPort: 'value' }]
  })),
  fc
    .tuple(ids, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
    .map(([id, x, y]) => (flow: Flow) => ({
      ...flow,
      layout: { ...flow.layout, [id]: [x, y] as const }
    })),
  fc.string().map(name => (flow: Flow) => ({ ...flow, name })),
  fc.constant((flow: Flow) => ({
    ...flow,
    nodes: Object.fromEntries(Object.entries(flow.nodes).reverse()),
    edges: [...flow.edges].reverse()
  })),
  fc.tuple(fc.constantFrom('n', 'm'), fc.string()).map(([id, text]) => (flow: Flow) => ({
    ...flow,
    notes: [
      ...flow.notes.filter(note => note.id !== id),
      { id, text, x: 0, y: 0, width: 1, height: 1 }
    ]
  }))
);

test('any edits are undone and redone to the byte', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), changes => {
      const document = opened();
      const texts = [document.text()];
      for (const one of changes) {
        const { revision } = document.state.get();
        document.edit('Edit', one);
        if (document.state.get().revision !== revision) {
          texts.push(document.text());
        }
      }
      for (const text of [...texts].reverse()) {
        expect(document.text()).toBe(text);
        document.undo();
      }
      expect(document.state.get().canUndo).toBe(false);
      for (const text of texts) {
        expect(document.text()).toBe(text);
        document.redo();
      }
    })
  );
});

test('two documents with any edits converge', () => {
  const step = fc.tuple(fc.constantFrom(0, 1, 2, 3, 4), change);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), steps => {
      const documents = [opened(), new FlowDocument()] as const;
      sync(documents[0].ydoc, documents[1].ydoc);
      for (const [who, one] of steps) {
        if (who === 2) {
          sync(documents[0].ydoc, documents[1].ydoc);
        } else if (who > 2) {
          documents[(who - 3) as 0 | 1].undo();
        } else {
          documents[who as 0 | 1].edit('Edit', one);
        }
      }
      sync(documents[0].ydoc, documents[1].ydoc);
      expect(documents[0].state.get().fault).toBe('');
      expect(documents[0].text()).toBe(documents[1].text());
      const third = new FlowDocument({ ydoc: documents[0].ydoc });
      expect(third.text()).toBe(documents[0].text());
    })
  );
});
