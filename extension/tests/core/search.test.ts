import { describe, expect, it } from 'vitest';
import { compare } from '../../src/core/diff';
import { group } from '../../src/core/edits/groups';
import { removeNodes, setConfig } from '../../src/core/edits/nodes';
import { move } from '../../src/core/edits/arrange';
import { bestPort, wireType } from '../../src/core/ports';
import { findNodes, searchTypes } from '../../src/core/search';
import { catalog, flow } from './flows';

const made = flow(
  {
    load: { type: 'table.read', title: 'Đọc dữ liệu' },
    say: { type: 'text.template', config: { template: 'A long text about DuckDB' } }
  },
  ['load.out -> say.rows']
);

describe('search', () => {
  const found = (query: string): string[] =>
    searchTypes(catalog, query, null, made).map(type => type.type);

  it('prefers the start of a title to the start of a word to scattered letters', () => {
    expect(found('map')[0]).toBe('map');
    expect(found('template')[0]).toBe('text.template');
    expect(found('tblflt')).toEqual(['table.filter']);
    expect(found('join')[0]).toBe('table.join');
    expect(found('duckdb')).toContain('sql');
    expect(found('zzz')).toEqual([]);
    expect(found('')).toHaveLength(catalog.size);
  });

  it('wants every word', () => {
    expect(found('table write')).toEqual(['table.write']);
  });

  it('puts what takes the very type of a wire before what takes anything', () => {
    const wire = { node: 'load', port: 'out', side: 'output' } as const;
    const carried = wireType(made, catalog, wire);
    const exact = searchTypes(catalog, '', wire, made).map(
      type => bestPort(type, wire, carried)?.type === carried
    );
    expect(exact[0]).toBe(true);
    expect(exact).toEqual([...exact].sort((a, b) => Number(b) - Number(a)));
    expect(exact).toContain(false);
  });

  it('keeps to what takes the wire', () => {
    const wire = { node: 'load', port: 'out', side: 'output' } as const;
    const types = searchTypes(catalog, 'pick', wire, made);
    expect(types.map(type => type.type)).toEqual([]);
  });

  it('finds texts in nodes and notes, without accents', () => {
    expect(findNodes(made, 'doc du').map(place => [place.id, place.field])).toEqual([
      ['load', 'title']
    ]);
    expect(findNodes(made, 'duckdb')).toEqual([
      { id: 'say', field: 'config.template', text: 'A long text about DuckDB' }
    ]);
    expect(findNodes(made, ' ')).toEqual([]);
  });
});

describe('difference', () => {
  it('names nodes, fields and edges', () => {
    const next = setConfig(made, 'say', 'template', 'Other');
    expect(compare(made, next)).toMatchObject({
      nodes: new Map([['say', 'changed']]),
      fields: new Map([['say', ['config.template']]]),
      same: false
    });
    const less = compare(made, removeNodes(made, ['load']));
    expect(less.nodes).toEqual(new Map([['load', 'removed']]));
    expect(less.edges).toEqual(new Map([['load.out -> say.rows', 'removed']]));
  });

  it('leaves positions out', () => {
    expect(compare(made, move(made, new Map([['say', [9, 9]]]))).same).toBe(true);
    expect(compare(made, group(made, ['say'], 'G').flow).flow).toEqual(['groups']);
  });

  it('sees the order of the items of a list', () => {
    const list = flow({ a: 'delay', b: 'delay', m: 'merge' }, [
      'a.out -> m.values',
      'b.out -> m.values'
    ]);
    const turned = { ...list, edges: [...list.edges].reverse() };
    expect(compare(list, turned).flow).toEqual(['edges']);
  });
});
