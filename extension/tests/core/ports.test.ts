import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Wire } from '../../src/core/controller';
import { connect } from '../../src/core/edits/edges';
import {
  accepts,
  compatibleTypes,
  connectable,
  family,
  gathers,
  inputsOf,
  outputsOf,
  parameterType,
  parseType
} from '../../src/core/ports';
import { templateNames, templatePaths } from '../../src/core/template';
import vectors from '../vectors/ports.json';
import { catalog, flow, runnable } from './flows';

const SPELLINGS = Object.keys(vectors.accepts);
const output = (node: string, port = 'out'): Wire => ({ node, port, side: 'output' });
const input = (node: string, port: string): Wire => ({ node, port, side: 'input' });
const names = (ports: readonly { name: string }[]): string[] => ports.map(port => port.name);

describe('port types', () => {
  it.each(Object.entries(vectors.accepts))(
    '%s accepts what it does in Python',
    (target, sources) => {
      expect(SPELLINGS.filter(source => accepts(target, source))).toEqual(sources);
    }
  );

  it.each(Object.entries(vectors.gathers))(
    '%s gathers what it does in Python',
    (target, sources) => {
      expect(SPELLINGS.filter(source => gathers(target, source))).toEqual(sources);
    }
  );

  it('refuses what Python refuses', () => {
    for (const spelling of vectors.bad) {
      expect(() => parseType(spelling), spelling).toThrow('is not a port type');
    }
  });

  it('has a colour for every type', () => {
    expect(family('list[table]')).toBe('list');
    expect(family('model:Invoice')).toBe('model');
    expect(family('table')).toBe('table');
    expect(family('nonsense')).toBe('any');
  });

  it('reads the types of parameters', () => {
    for (const [spec, type] of vectors.parameters) {
      expect(parameterType(spec as never)).toBe(type);
    }
  });
});

describe('templates', () => {
  it.each(vectors.templates as [string, unknown][])('%j', (text, expected) => {
    const paths = templatePaths(text);
    const found = paths && {
      names: templateNames(text).sort(),
      parameters: [...new Set(paths.map(path => path.parameter).filter(Boolean))].sort()
    };
    expect(found).toEqual(expected);
  });
});

describe('ports of nodes', () => {
  it('shows names in templates as inputs', () => {
    const config = { template: '{{a}} {{b.c}} {{params.x}}' };
    const made = flow({ t: { type: 'text.template', config } });
    expect(names(inputsOf(made, 't', catalog))).toEqual(['a', 'b']);
  });

  it('shows the arguments of code as inputs', () => {
    const code = 'def main(rows, *, limit=3, ctx, **rest):\n    return rows\n';
    const made = flow({ p: { type: 'python', config: { code } }, q: 'delay' }, ['q.out -> p.more']);
    expect(names(inputsOf(made, 'p', catalog))).toEqual(['rows', 'limit', 'more']);
  });

  it('shows configuration fields that are wired', () => {
    const made = flow({ p: 'json.pick', q: 'text.template' }, ['q.out -> p.path']);
    expect(names(inputsOf(made, 'p', catalog))).toEqual(['data', 'path']);
  });

  it('shows what a body takes and returns', () => {
    const body = {
      parameters: { item: {}, extra: {} },
      nodes: { t: { type: 'text.template' } },
      outputs: { said: 't.out' }
    };
    const made = flow({
      s: { type: 'subflow', config: { body } },
      m: { type: 'map', config: { body } }
    });
    expect(names(inputsOf(made, 's', catalog))).toEqual(['item', 'extra']);
    expect(names(outputsOf(made, 's', catalog))).toEqual(['said']);
    expect(names(inputsOf(made, 'm', catalog))).toEqual(['items', 'extra']);
  });

  it('has an error output when failures feed it, and parameters as a source', () => {
    const made = flow({ d: { type: 'delay', on_error: 'port' } }, [], {
      parameters: { n: { type: 'integer' } }
    });
    expect(names(outputsOf(made, 'd', catalog))).toContain('error');
    expect(outputsOf(made, 'params', catalog)).toMatchObject([{ name: 'n', type: 'number' }]);
  });

  it('draws the wires of a type that is not installed', () => {
    const made = flow({ a: 'cell.x', b: 'cell.y' }, ['a.rows -> b.data']);
    expect(names(outputsOf(made, 'a', catalog))).toEqual(['rows']);
    expect(names(inputsOf(made, 'b', catalog))).toEqual(['data']);
  });
});

describe('connectable', () => {
  const made = flow(
    { read: 'table.read', keep: 'table.filter', text: 'text.template', all: 'merge' },
    ['read.out -> keep.table', 'text.out -> all.values']
  );
  const table = inputsOf(made, 'keep', catalog)[0]?.name ?? '';
  const reason = (a: Wire, b: Wire): string => connectable(made, catalog, a, b).reason;

  it('says why ends do not fit', () => {
    expect(reason(output('text'), input('keep', table))).toBe('{source} does not fit {target}.');
    expect(reason(output('text'), output('read'))).toBe('Both are outputs.');
    expect(reason(output('text'), input('text', 'a'))).toBe('A node cannot feed itself.');
    expect(reason(output('all'), input('text', 'a'))).toBe('This would close a circle.');
    expect(reason(output('text'), input('all', 'values'))).toBe('They are connected already.');
    expect(reason(output('text', 'nope'), input('all', 'values'))).toBe('There is no port {port}.');
  });

  it('takes either end first', () => {
    expect(reason(input('all', 'values'), output('read'))).toBe('');
    expect(reason(output('read'), input('all', 'values'))).toBe('');
  });

  it('never lets a cycle be drawn', () => {
    fc.assert(
      fc.property(runnable, fc.nat(), fc.nat(), (random, a, b) => {
        const ids = Object.keys(random.nodes);
        const [from, to] = [ids[a % ids.length] ?? '', ids[b % ids.length] ?? ''];
        const ends = [
          output(from, outputsOf(random, from, catalog)[0]?.name),
          input(to, 'extra')
        ] as const;
        if (connectable(random, catalog, ...ends).ok) {
          const next = connect(random, ...ends, catalog);
          expect(connectable(next, catalog, output(to), input(from, 'again')).ok).toBe(false);
        }
      })
    );
  });
});

describe('compatible types', () => {
  it('offers what takes a wire', () => {
    const made = flow({ read: 'table.read' });
    const types = compatibleTypes(catalog, output('read'), made).map(type => type.type);
    expect(types).toContain('table.filter');
    expect(types).toContain('sql');
    expect(types).not.toContain('json.pick');
  });

  it('offers what feeds an input', () => {
    const made = flow({ keep: 'table.filter' });
    const types = compatibleTypes(catalog, input('keep', 'table'), made).map(type => type.type);
    expect(types).toContain('table.read');
    expect(types).not.toContain('text.template');
  });
});
