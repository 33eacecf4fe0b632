import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extract, inline } from '../../src/core/edits/extract';
import { group } from '../../src/core/edits/groups';
import { dumpFlow, edgeText } from '../../src/core/file';
import type { Flow } from '../../src/core/flow';
import { flowAt } from '../../src/core/scope';
import { EditError } from '../../src/core/sentence';
import { catalog, flow, isWhole, selected } from './flows';

const edges = (made: Flow): string[] => made.edges.map(edgeText);
const bodyOf = (made: Flow, id: string): Flow => flowAt(made, [[id, 'body']]);
const text = (
  template: string,
  rest: object = {}
): { type: string; config: { template: string } } => ({
  type: 'text.template',
  config: { template },
  ...rest
});
const PARAMETERS = {
  parameters: { topic: { type: 'string' }, level: { type: 'integer', default: 1 } }
};

describe('extract', () => {
  const made = flow(
    {
      a: text('a {{params.topic}}'),
      b: text('b {{x}} {{params.topic}}'),
      c: text('c {{x}}'),
      d: text('d {{y}}'),
      m: { type: 'merge', config: { keep: 'all' } }
    },
    [
      'a.out -> b.x',
      'a.out -> c.x',
      'b.out -> m.values',
      'd.out -> m.values',
      'c.out -> m.values',
      'params.topic -> d.y'
    ],
    PARAMETERS
  );

  it('makes parameters of edges in and outputs of edges out', () => {
    const { flow: next, id } = extract(made, catalog, ['b', 'c'], 'Both Sides');
    expect(id).toBe('both_sides');
    expect(edges(next)).toEqual([
      'a.out -> both_sides.x',
      'both_sides.b -> m.values',
      'd.out -> m.values',
      'both_sides.c -> m.values',
      'params.topic -> d.y',
      'params.topic -> both_sides.topic'
    ]);
    const body = bodyOf(next, id);
    expect(edges(body)).toEqual(['params.x -> b.x', 'params.x -> c.x']);
    expect(body.parameters).toEqual({ topic: { type: 'string' }, x: { type: 'text' } });
    expect(body.outputs).toEqual({ b: 'b.out', c: 'c.out' });
  });

  it('keeps the results of a flow that does not name them', () => {
    const { flow: next } = extract(made, catalog, ['m'], '');
    expect(next.outputs).toEqual({ m: 'subflow.out' });
    expect(Object.keys(next.nodes)).toEqual(['a', 'b', 'c', 'd', 'subflow']);
  });

  it('takes groups along and stands in for their nodes', () => {
    const grouped = group(group(made, ['b', 'c'], 'In').flow, ['a', 'd'], 'Half').flow;
    const { flow: next, id } = extract(grouped, catalog, ['b', 'c', 'd'], 'Part');
    expect(next.groups.map(found => found.nodes)).toEqual([['a', id]]);
    expect(bodyOf(next, id).groups.map(found => found.title)).toEqual(['In']);
  });

  it.each<[string, Flow, string[], string]>([
    ['nothing', made, [], 'Select the nodes that shall become a subflow.'],
    ['a gap', made, ['a', 'm'], 'lies between the selected nodes'],
    [
      'a branch beside others',
      flow({ i: { type: 'if', config: { condition: 'true' } }, a: text('{{x}}'), b: text('b') }, [
        'i.true -> a.x'
      ]),
      ['a', 'b'],
      'i may give no value'
    ],
    [
      'a failure that goes on',
      flow({ i: text('i', { on_error: 'continue' }), a: text('{{x}}'), b: text('b') }, [
        'i.out -> a.x'
      ]),
      ['a', 'b'],
      'i may give no value'
    ],
    [
      'JSON that becomes a list',
      flow({ p: 'json.pick', m: 'merge' }, ['p.out -> m.values']),
      ['m'],
      'JSON becomes a list there'
    ],
    [
      'a parameter whose name is taken',
      flow({ a: text('{{params.body}}') }, [], { parameters: { body: {} } }),
      ['a'],
      'rename it'
    ]
  ])('refuses %s', (_, given, ids, reason) => {
    expect(() => extract(given, catalog, ids, 'x')).toThrow(reason);
  });

  it('takes a whole branch', () => {
    const branch = flow(
      {
        i: { type: 'if', config: { condition: 'params.level > 1' } },
        a: text('{{x}}'),
        b: text('{{y}}')
      },
      ['params.level -> i.value', 'i.true -> a.x', 'a.out -> b.y'],
      PARAMETERS
    );
    expect(edges(extract(branch, catalog, ['a', 'b'], 'Rest').flow)).toEqual([
      'params.level -> i.value',
      'i.true -> rest.x'
    ]);
  });
});

describe('inline', () => {
  it('is the reverse of extract', () => {
    const made = flow(
      { a: text('a'), b: text('b {{x}}'), c: text('c {{y}}') },
      ['a.out -> b.x', 'b.out -> c.y'],
      { outputs: { c: 'c.out' } }
    );
    const { flow: packed, id } = extract(made, catalog, ['b', 'c'], 'Pack');
    const { flow: next, ids } = inline(packed, catalog, id);
    expect(ids).toEqual(['b', 'c']);
    expect(next.nodes).toEqual(made.nodes);
    expect([...edges(next)].sort()).toEqual([...edges(made)].sort());
    expect(next.outputs).toEqual(made.outputs);
    expect(next.layout).toEqual(made.layout);
  });

  const around = (body: object, config: object = {}, rest: object = {}): Flow =>
    flow(
      {
        a: text('A'),
        s: { type: 'subflow', config: { body, ...config }, ...rest } as never,
        z: text('{{s}}')
      },
      ['a.out -> s.x', 's.out -> z.s']
    );
  const body = {
    parameters: { x: {}, n: { default: 3 } },
    nodes: { t: text('{{params.x}} {{params.n}}') },
    outputs: { out: 't.out' }
  };

  it('puts wires and values where the parameters stood', () => {
    const { flow: next } = inline(around(body), catalog, 's');
    expect(next.nodes.t?.config?.template).toBe('{{x}} 3');
    expect([...edges(next)].sort()).toEqual(['a.out -> t.x', 't.out -> z.s']);
    expect(inline(around(body, { n: '{{' }), catalog, 's').flow.nodes.t?.config?.template).toBe(
      '{{x}} \\{{'
    );
  });

  it.each<[string, Flow, string]>([
    ['a map', flow({ s: { type: 'map', config: { body } } }), 'Only a subflow'],
    ['a file', flow({ s: { type: 'subflow', config: { body: 'x.flow.json' } } }), 'Only a subflow'],
    ['settings of its own', around(body, {}, { skip_if: 'true' }), 'settings of its own'],
    [
      'a value for an expression',
      around({ ...body, nodes: { t: text('x', { skip_if: 'params.x == 1' }) } }),
      'only a subflow can'
    ],
    ['a parameter without a value', around({ ...body, parameters: { y: {} } }), 'has no value'],
    ['an output that is not there', around({ ...body, outputs: {} }), 'no output out']
  ])('refuses %s', (_, made, reason) => {
    expect(() => inline(made, catalog, 's')).toThrow(reason);
  });
});

/** Tries an edit: null when it is refused with a sentence. */
function attempt<T>(edit: () => T): T | null {
  try {
    return edit();
  } catch (error) {
    if (error instanceof EditError) {
      return null;
    }
    throw error;
  }
}

describe('random flows', () => {
  it('stay whole', () => {
    fc.assert(
      fc.property(selected, ({ flow: made, ids }) => {
        const packed = attempt(() => extract(made, catalog, ids, 'Part'));
        if (packed) {
          expect(isWhole(packed.flow)).toBe(true);
          expect(isWhole(bodyOf(packed.flow, packed.id))).toBe(true);
          const opened = attempt(() => inline(packed.flow, catalog, packed.id));
          expect(opened === null || isWhole(opened.flow)).toBe(true);
        }
      })
    );
  });

  it('mean the same: Python runs these', async () => {
    const cases = fc.sample(selected, { seed: 20, numRuns: 400 }).flatMap(({ flow: made, ids }) => {
      const packed = attempt(() => extract(made, catalog, ids, 'Part'));
      const opened = packed && attempt(() => inline(packed.flow, catalog, packed.id));
      return packed
        ? [
            {
              ids,
              before: dumpFlow(made),
              extracted: dumpFlow(packed.flow),
              inlined: opened && dumpFlow(opened.flow)
            }
          ]
        : [];
    });
    const chosen = cases.filter(({ ids }) => ids.length > 1).slice(0, 80);
    expect(chosen.length).toBe(80);
    expect(chosen.filter(({ inlined }) => inlined).length).toBeGreaterThan(60);
    await expect(JSON.stringify(chosen, null, 1) + '\n').toMatchFileSnapshot(
      '../vectors/extract.json'
    );
  });
});
