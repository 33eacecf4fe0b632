import { describe, expect, it } from 'vitest';
import types from '../../src/core/builtin.json';
import type { NodeType } from '../../src/core/catalog';
import {
  namedParameter,
  parametersFor,
  setSource,
  wiredFields
} from '../../src/core/edits/sources';
import { parseFlow } from '../../src/core/file';
import { catalogOf } from '../../src/core/sync';

const CATALOG = catalogOf(types as unknown as readonly NodeType[], message => message);
const FLOW = parseFlow(
  JSON.stringify({
    format: 'iaiflow/1',
    parameters: { limit: { type: 'integer' }, all: { type: 'boolean' }, name: { type: 'string' } },
    nodes: { ask: { type: 'http.request', config: { url: 'https://example.org', max_mb: 3 } } }
  })
);

describe('the sources of fields', () => {
  it('are the parameters that fit, where nothing else names them', () => {
    const offered = parametersFor(FLOW, 'ask', CATALOG);
    expect(offered.max_mb).toEqual(['limit']);
    expect(offered.any_status).toEqual(['all']);
    expect(offered.method).toEqual(['name']);
    expect(offered.url).toBeUndefined();
    expect(offered.headers).toBeUndefined();
  });

  it('feed a field in place of what is written, and give it free again', () => {
    const fed = setSource(FLOW, CATALOG, 'ask', 'max_mb', 'limit');
    expect(wiredFields(fed, 'ask')).toEqual({ max_mb: 'params.limit' });
    expect(fed.nodes.ask?.config).toEqual({ url: 'https://example.org' });
    expect(setSource(fed, CATALOG, 'ask', 'max_mb', 'limit').edges).toEqual(fed.edges);
    expect(wiredFields(setSource(fed, CATALOG, 'ask', 'max_mb', null), 'ask')).toEqual({});
  });

  it.each([
    ['{{params.limit}}', 'limit'],
    [' {{ params["a b"] }} ', 'a b'],
    ['{{params.limit}} s', ''],
    ['{{params.limit}}{{params.all}}', ''],
    ['{{params.limit.x}}', ''],
    ['{{limit}}', ''],
    ['{{params.', ''],
    ['5', '']
  ])('are named by %j', (text, name) => {
    expect(namedParameter(text)).toBe(name);
  });
});
