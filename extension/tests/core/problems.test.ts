import { describe, expect, it } from 'vitest';
import { placeOf, problemsByNode } from '../../src/core/problems';
import type { Problem } from '../../src/core/protocol';

function problem(place: string, rest: Partial<Problem> = {}): Problem {
  const node = /^nodes\.([\w-]+)/.exec(place)?.[1] ?? '';
  return {
    code: 'IAI104',
    severity: 'error',
    message: 'It is wrong.',
    remedy: '',
    place,
    node,
    field: '',
    ...rest
  };
}

describe('the place of a problem', () => {
  it('is a node and its field', () => {
    expect(placeOf(problem('nodes.fetch.config.url'))).toEqual({
      scope: [],
      node: 'fetch',
      field: 'url',
      edge: null
    });
    expect(placeOf(problem('nodes.fetch.text')).field).toBe('text');
    expect(placeOf(problem('nodes.fetch')).field).toBe('');
    expect(placeOf(problem('nodes.fetch.config.headers.Accept')).field).toBe('headers');
  });

  it('is an edge, or the flow as a whole', () => {
    expect(placeOf(problem('edges[3]')).edge).toBe(3);
    expect(placeOf(problem(''))).toEqual({ scope: [], node: '', field: '', edge: null });
    expect(placeOf(problem('edges[3]', { node: 'clean' })).node).toBe('clean');
  });

  it('is found in nested flows', () => {
    const place = 'nodes.each.config.body.nodes.sub.config.flow.nodes.x.config.url';
    expect(placeOf(problem(place))).toEqual({
      scope: [
        ['each', 'body'],
        ['sub', 'flow']
      ],
      node: 'x',
      field: 'url',
      edge: null
    });
    const edge = placeOf(problem('nodes.each.config.body.edges[2]'));
    expect([edge.scope, edge.edge, edge.node]).toEqual([[['each', 'body']], 2, '']);
  });
});

describe('the problems of a scope', () => {
  const inner = problem('nodes.each.config.body.nodes.x.config.url');
  const outer = problem('nodes.fetch.config.url');

  it('stand on the node that holds the nested flow', () => {
    const found = problemsByNode([inner, outer], []);
    expect(found.get('each')?.map(({ field }) => field)).toEqual(['body']);
    expect(found.get('fetch')?.map(({ field }) => field)).toEqual(['url']);
  });

  it('stand on the inner node when its flow is open', () => {
    const found = problemsByNode([inner, outer], [['each', 'body']]);
    expect([...found.keys()]).toEqual(['x']);
    expect(problemsByNode([inner], [['each', 'other']]).size).toBe(0);
  });
});
