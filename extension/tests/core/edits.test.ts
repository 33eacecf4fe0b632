import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Wire } from '../../src/core/controller';
import { align, distribute, move } from '../../src/core/edits/arrange';
import { copyText, duplicate, pasteText } from '../../src/core/edits/clipboard';
import { attach, connect, disconnect, insertOnEdge, splice } from '../../src/core/edits/edges';
import { group, renameGroup, ungroup } from '../../src/core/edits/groups';
import {
  addNode,
  freshId,
  removeNodes,
  renameNode,
  setConfig,
  setNode,
  setTitle
} from '../../src/core/edits/nodes';
import { addNote, removeNotes, setNote } from '../../src/core/edits/notes';
import {
  addParameter,
  removeParameter,
  renameParameter,
  setParameter
} from '../../src/core/edits/parameters';
import { pin, unpin } from '../../src/core/edits/pins';
import { addResult } from '../../src/core/edits/results';
import { edgeText, parseFlow } from '../../src/core/file';
import { EMPTY_FLOW, type Flow } from '../../src/core/flow';
import { bodyOf, flowAt, withFlowAt } from '../../src/core/scope';
import { catalog, flow, isWhole, selected } from './flows';

const output = (node: string, port = 'out'): Wire => ({ node, port, side: 'output' });
const input = (node: string, port: string): Wire => ({ node, port, side: 'input' });
const edges = (made: Flow): string[] => made.edges.map(edgeText);

/** What holds of every edit of any flow: it stays whole, and what it was given stays as it was. */
function holds(edit: (flow: Flow, ids: string[]) => Flow): void {
  fc.assert(
    fc.property(selected, ({ flow: made, ids }) => {
      const before = JSON.stringify(made);
      const after = edit(made, ids);
      expect(JSON.stringify(made)).toBe(before);
      expect(isWhole(after)).toBe(true);
    })
  );
}

describe('every edit leaves a whole flow', () => {
  const first = (ids: readonly string[]): string => ids[0] ?? '';
  it.each<[string, (flow: Flow, ids: string[]) => Flow]>([
    ['add', made => addNode(made, catalog, 'text.template', [1.4, 2.6]).flow],
    ['remove', (made, ids) => removeNodes(made, ids)],
    ['rename', (made, ids) => renameNode(made, first(ids), 'renamed')],
    ['disconnect', made => disconnect(made, [0, 2])],
    ['insert', made => insertOnEdge(made, catalog, 0, 'delay', [0, 0])?.flow ?? made],
    ['group', (made, ids) => group(group(made, ids, 'One').flow, ids.slice(1), 'Two').flow],
    ['ungroup', (made, ids) => ungroup(group(made, ids, 'One').flow, [first(ids)])],
    ['remove grouped', (made, ids) => removeNodes(group(made, ids, 'One').flow, ids.slice(1))],
    ['duplicate', (made, ids) => duplicate(made, ids).flow],
    ['paste', (made, ids) => pasteText(made, copyText(made, ids), [5, 5]).flow],
    ['align', (made, ids) => align(made, ids, 'center', new Map())],
    ['distribute', (made, ids) => distribute(made, ids, 'vertical', new Map())],
    ['remove parameter', made => removeParameter(made, 'topic')],
    ['rename parameter', made => renameParameter(made, 'topic', 'subject', catalog)]
  ])('%s', (_, edit) => {
    holds(edit);
  });
});

describe('nodes', () => {
  it('gives new nodes short Python names', () => {
    const made = flow({ filter: 'table.filter', filter2: 'table.filter' });
    expect(freshId(made, 'table.filter')).toBe('filter3');
    expect(freshId(EMPTY_FLOW, 'if')).toBe('if_');
    expect(freshId(EMPTY_FLOW, 'Làm sạch dữ liệu')).toBe('lam_sach_du_lieu');
    expect(freshId(EMPTY_FLOW, '日本')).toBe('node');
    expect(freshId(EMPTY_FLOW, 'params')).toBe('node');
  });

  it('keeps the identity of what an edit does not touch', () => {
    const made = flow({ a: 'delay', b: 'delay' }, ['a.out -> b.value']);
    const next = setConfig(made, 'a', 'seconds', 2);
    expect(next.nodes.b).toBe(made.nodes.b);
    expect(next.edges).toBe(made.edges);
    expect(setConfig(next, 'a', 'seconds', 2)).toBe(next);
    expect(setTitle(made, 'a', ' ')).toBe(made);
    expect(removeNodes(made, ['nobody'])).toBe(made);
    expect(move(made, new Map([['a', [0, 0]]]))).toBe(made);
  });

  it('removes fields that become empty', () => {
    const made = setConfig(setTitle(flow({ a: 'delay' }), 'a', 'Wait'), 'a', 'seconds', 1);
    expect(made.nodes.a).toEqual({ type: 'delay', title: 'Wait', config: { seconds: 1 } });
    const bare = setConfig(setTitle(made, 'a', ''), 'a', 'seconds', undefined);
    expect(bare.nodes.a).toEqual({ type: 'delay' });
    expect(setNode(bare, 'a', { join: 'any' }).nodes.a).toEqual({ type: 'delay', join: 'any' });
  });

  it('renames a node wherever it is named, in its place', () => {
    const made = group(
      flow({ a: 'delay', b: 'delay' }, ['a.out -> b.value'], {
        outputs: { x: 'a.out', ab: 'b.out' }
      }),
      ['a'],
      'G'
    ).flow;
    const next = renameNode(made, 'a', 'start');
    expect(Object.keys(next.nodes)).toEqual(['start', 'b']);
    expect(edges(next)).toEqual(['start.out -> b.value']);
    expect(next.outputs).toEqual({ x: 'start.out', ab: 'b.out' });
    expect(next.groups[0]?.nodes).toEqual(['start']);
    expect(() => renameNode(made, 'a', 'b')).toThrow('There is already a node called b.');
    expect(() => renameNode(made, 'a', '1 x')).toThrow('Ids have');
  });
});

describe('edges', () => {
  const made = flow(
    { a: 'text.template', b: 'text.template', c: 'json.pick', d: 'merge', e: 'delay' },
    ['a.out -> c.path', 'a.out -> d.values']
  );

  it('replaces the edge of a port that takes one value, in its place', () => {
    expect(edges(connect(made, input('c', 'path'), output('b'), catalog))).toEqual([
      'b.out -> c.path',
      'a.out -> d.values'
    ]);
  });

  it('lets a whole list and single items make room for each other', () => {
    const lists = flow({ t: 'text.template', u: 'text.template', l: 'cell.lines', m: 'merge' }, [
      't.out -> m.values',
      'u.out -> m.values'
    ]);
    const lines = { ...catalog.get('delay'), outputs: [{ name: 'out', type: 'list[text]' }] };
    const types = new Map([...catalog, ['cell.lines', lines as never]]);
    const whole = connect(lists, output('l'), input('m', 'values'), types);
    expect(edges(whole)).toEqual(['l.out -> m.values']);
    expect(edges(connect(whole, output('t'), input('m', 'values'), types))).toEqual([
      't.out -> m.values'
    ]);
  });

  it('adds to a list in order', () => {
    expect(edges(connect(made, output('b'), input('d', 'values'), catalog))).toEqual([
      'a.out -> c.path',
      'a.out -> d.values',
      'b.out -> d.values'
    ]);
  });

  it('refuses with the reason', () => {
    expect(() => connect(made, output('c'), input('c', 'path'), catalog)).toThrow(
      'A node cannot feed itself.'
    );
  });

  it('splices a node into an edge where the edge was', () => {
    const spliced = splice(made, catalog, 0, 'e');
    expect(spliced && edges(spliced)).toEqual([
      'a.out -> e.value',
      'e.out -> c.path',
      'a.out -> d.values'
    ]);
    expect(splice(made, catalog, 0, 'a')).toBeNull();
    expect(insertOnEdge(made, catalog, 0, 'table.read', [0, 0])).toBeNull();
  });

  it('makes room for what is spliced in, and for nothing when there is enough', () => {
    const near = {
      ...made,
      layout: { ...made.layout, a: [0, 0], c: [300, 40], d: [300, 200], e: [150, 20] }
    } as Flow;
    expect(splice(near, catalog, 0, 'e')?.layout).toMatchObject({
      a: [0, 0],
      e: [280, 20],
      c: [560, 40],
      d: [300, 200]
    });
    const wide = { ...near, layout: { ...near.layout, c: [900, 40], e: [400, 20] } } as Flow;
    expect(splice(wide, catalog, 0, 'e')?.layout).toEqual(wide.layout);
  });

  it('attaches a dangling wire to the port that fits best', () => {
    const table = flow({ r: 'table.read', j: 'table.join', s: 'sql' });
    expect(edges(attach(table, catalog, output('r'), 'j') ?? table)).toEqual(['r.out -> j.left']);
    expect(edges(attach(table, catalog, input('j', 'left'), 'r') ?? table)).toEqual([
      'r.out -> j.left'
    ]);
    expect(attach(table, catalog, output('s'), 'r')).toBeNull();
    const taken = flow({ r: 'table.read', q: 'table.read', j: 'table.join', s: 'sql' }, [
      'r.out -> j.left'
    ]);
    expect(edges(attach(taken, catalog, output('q'), 'j') ?? taken)).toContain('q.out -> j.right');
    expect(edges(attach(taken, catalog, output('q'), 's') ?? taken)).toContain('q.out -> s.q');
    const config = { template: '{{a}} {{summary}}' };
    const asks = flow({ s: 'sql', t: { type: 'text.template', config } }, ['s.out -> t.a']);
    expect(edges(attach(asks, catalog, output('s'), 't') ?? asks)).toContain('s.out -> t.summary');
  });
});

describe('positions', () => {
  const made = move(
    flow({ a: 'delay', b: 'delay', c: 'delay' }),
    new Map([
      ['a', [0, 0]],
      ['b', [90, 40]],
      ['c', [400, 10]]
    ])
  );
  const sizes = new Map([
    ['a', [100, 50]],
    ['b', [100, 50]],
    ['c', [200, 50]]
  ] as const);
  const xs = (next: Flow): unknown[] => Object.values(next.layout).map(at => at[0]);

  it('aligns to edges and middles', () => {
    expect(xs(align(made, ['a', 'b', 'c'], 'left', sizes))).toEqual([0, 0, 0]);
    expect(xs(align(made, ['a', 'b', 'c'], 'right', sizes))).toEqual([500, 500, 400]);
    expect(xs(align(made, ['a', 'b', 'c'], 'center', sizes))).toEqual([250, 250, 200]);
  });

  it('leaves equal gaps', () => {
    expect(xs(distribute(made, ['c', 'a', 'b'], 'horizontal', sizes))).toEqual([0, 200, 400]);
  });
});

describe('groups and notes', () => {
  it('keeps a node in one group', () => {
    const one = group(flow({ a: 'delay', b: 'delay' }), ['a', 'b'], 'One');
    const two = group(one.flow, ['b'], 'Two');
    expect(two.flow.groups.map(found => found.nodes)).toEqual([['a'], ['b']]);
    expect(renameGroup(two.flow, two.id, 'New').groups[1]?.title).toBe('New');
    expect(ungroup(two.flow, [one.id, 'b']).groups).toEqual([]);
    expect(group(one.flow, ['nobody'], 'None').flow).toBe(one.flow);
  });

  it('edits notes', () => {
    const { flow: made, id } = addNote(EMPTY_FLOW, [1.2, 3], 'Hello');
    const next = setNote(made, id, { text: 'Bye', color: 'red' });
    expect(next.notes[0]).toMatchObject({ id, text: 'Bye', x: 1, color: 'red' });
    expect(setNote(next, id, { color: undefined }).notes[0]).not.toHaveProperty('color');
    expect(setNote(next, id, { text: 'Bye' })).toBe(next);
    expect(removeNotes(next, [id]).notes).toEqual([]);
  });
});

describe('clipboard', () => {
  const made = flow(
    {
      a: { type: 'text.template', config: { template: '{{params.topic}}' } },
      b: 'delay',
      c: 'delay'
    },
    ['a.out -> b.value', 'b.out -> c.value'],
    { parameters: { topic: { type: 'string' }, other: {} } }
  );

  it('copies a whole flow with the parameters that it uses', () => {
    const copied = parseFlow(copyText(made, ['a', 'b']));
    expect(Object.keys(copied.nodes)).toEqual(['a', 'b']);
    expect(edges(copied)).toEqual(['a.out -> b.value']);
    expect(Object.keys(copied.parameters)).toEqual(['topic']);
  });

  it('pastes from a chat', () => {
    const text = `Here you are:\n\n\`\`\`json\n${copyText(made, ['a', 'b'])}\`\`\`\nEnjoy!`;
    const { flow: next, ids } = pasteText(made, text, [1000, 500]);
    expect(ids).toEqual(['a2', 'b2']);
    expect(edges(next)).toContain('a2.out -> b2.value');
    expect(next.layout.a2).toEqual([1000, 500]);
    expect(pasteText(EMPTY_FLOW, `Try ${copyText(made, ['c'])} now`, [0, 0]).ids).toEqual(['c']);
  });

  it('says why nothing was pasted', () => {
    expect(() => pasteText(made, 'no flow here', [0, 0])).toThrow('The pasted text holds no flow.');
    expect(() => pasteText(made, '{"format": "iaiflow/1", "nodes": 3}', [0, 0])).toThrow(
      'holds no flow that can be read'
    );
  });

  it('duplicates with the wires from outside', () => {
    const { flow: next, ids } = duplicate(made, ['b']);
    expect(ids).toEqual(['b2']);
    expect(edges(next)).toContain('a.out -> b2.value');
    expect(edges(next)).not.toContain('b2.out -> c.value');
  });

  it('takes any text without breaking', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        expect(() => pasteText(EMPTY_FLOW, `{${text}}`, [0, 0])).toThrow('The pasted text');
      })
    );
  });
});

describe('what is added by name', () => {
  const made = flow({ a: 'text.template' }, [], { parameters: { topic: {} } });

  it('is a parameter, a text at first', () => {
    expect(addParameter(made, 'place').parameters).toEqual({
      topic: {},
      place: { type: 'string' }
    });
    expect(() => addParameter(made, 'topic')).toThrow('already a parameter');
    expect(() => addParameter(made, 'no name')).toThrow('Parameter names');
  });

  it('is a result', () => {
    const once = addResult(made, 'digest', 'a.out');
    expect(once.outputs).toEqual({ digest: 'a.out' });
    expect(() => addResult(once, 'digest', 'a.out')).toThrow('already a result');
    expect(addResult(once, 'constructor', 'a.out').outputs).toHaveProperty('constructor', 'a.out');
  });
});

describe('pins and parameters', () => {
  it('pins and unpins', () => {
    const made = pin(pin(flow({ a: 'delay' }), 'a', 'out', [1]), 'a', 'error', null);
    expect(made.nodes.a?.pin).toEqual({ out: [1], error: null });
    expect(unpin(made, 'a', 'out').nodes.a?.pin).toEqual({ error: null });
    expect(unpin(made, 'a').nodes.a).toEqual({ type: 'delay' });
    expect(unpin(flow({ a: 'delay' }), 'a')).toEqual(flow({ a: 'delay' }));
  });

  it('renames a parameter wherever it is used', () => {
    const made = flow(
      {
        t: {
          type: 'text.template',
          config: { template: '{{params.topic.name}} {{topic}} params.topic' },
          skip_if: 'params.topic == "params.topic"'
        },
        i: { type: 'if', config: { condition: 'params.topic != params["topic"]' } }
      },
      ['params.topic -> i.value'],
      { parameters: { topic: {}, x: {} } }
    );
    const next = renameParameter(made, 'topic', 'subject', catalog);
    expect(next.nodes.t?.config?.template).toBe('{{params.subject.name}} {{topic}} params.topic');
    expect(next.nodes.t?.skip_if).toBe('params.subject == "params.topic"');
    expect(next.nodes.i?.config?.condition).toBe('params.subject != params.subject');
    expect(edges(next)).toEqual(['params.subject -> i.value']);
    expect(Object.keys(next.parameters)).toEqual(['subject', 'x']);
    expect(() => renameParameter(made, 'topic', 'x', catalog)).toThrow('already a parameter');
    expect(() => setParameter(made, 'no name', {})).toThrow('Parameter names');
    expect(edges(removeParameter(next, 'subject'))).toEqual([]);
  });
});

describe('nested flows', () => {
  const body = { nodes: { t: { type: 'text.template' } } };
  const made = flow({
    m: { type: 'map', config: { body } },
    f: { type: 'subflow', config: { body: 'x.flow.json' } }
  });

  it('finds bodies', () => {
    expect(bodyOf(made.nodes.f, 'body')).toBe('x.flow.json');
    expect(bodyOf(made.nodes.m, 'other')).toBeNull();
    expect(flowAt(made, [['m', 'body']])).toBe(flowAt(made, [['m', 'body']]));
    expect(flowAt(made, [['gone', 'body']])).toBe(EMPTY_FLOW);
  });

  it('edits inside, and only there', () => {
    const next = withFlowAt(
      made,
      [['m', 'body']],
      inner => addNode(inner, catalog, 'delay', [0, 0]).flow
    );
    expect(Object.keys(flowAt(next, [['m', 'body']]).nodes)).toEqual(['t', 'delay']);
    expect(next.nodes.m?.config?.body).not.toHaveProperty('format');
    expect(next.nodes.f).toBe(made.nodes.f);
    expect(withFlowAt(made, [['m', 'body']], inner => inner)).toBe(made);
    expect(withFlowAt(made, [['f', 'body']], () => EMPTY_FLOW)).toBe(made);
  });

  it('begins a body where there is none, and leaves one that cannot be read', () => {
    const bare = flow({ m: 'map', x: { type: 'map', config: { body: { nodes: 3 } } } });
    const change = (inner: Flow): Flow => addNode(inner, catalog, 'delay', [0, 0]).flow;
    const begun = flowAt(withFlowAt(bare, [['m', 'body']], change), [['m', 'body']]);
    expect(Object.keys(begun.nodes)).toEqual(['delay']);
    expect(begun.parameters).toEqual({ item: {} });
    expect(flowAt(bare, [['m', 'body']]).parameters).toEqual({ item: {} });
    expect(flowAt(bare, [['x', 'body']])).toBe(EMPTY_FLOW);
    expect(withFlowAt(bare, [['x', 'body']], change)).toBe(bare);
  });
});
