import { describe, expect, it } from 'vitest';
import builtin from '../../src/core/builtin.json';
import type { JsonObject } from '../../src/core/flow';
import { controlOf, formSchema, propertiesOf } from '../../src/lab/schema';

describe('a form', () => {
  it.each<[string, JsonObject, string]>([
    ['a text', { type: 'string' }, 'text'],
    ['a whole number', { type: 'integer' }, 'number'],
    ['yes or no', { type: 'boolean', default: true }, 'boolean'],
    ['a choice', { type: 'string', enum: ['', 'x', '-x'] }, 'choice'],
    ['a choice that may be left out', { anyOf: [{ enum: [1, 2] }, { type: 'null' }] }, 'choice'],
    ['texts', { anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'null' }] }, 'list'],
    ['texts of some', { type: 'array', items: { type: 'string', enum: ['a'] } }, 'list'],
    ['objects', { type: 'array', items: { type: 'object' } }, 'json'],
    ['headers', { type: 'object', additionalProperties: { type: 'string' } }, 'entries'],
    ['anything', { description: 'Any value.' }, 'json'],
    ['one of several types', { anyOf: [{ type: 'object' }, { type: 'string' }] }, 'json'],
    ['a secret', { type: 'string', 'x-widget': 'secret' }, 'secret'],
    ['a text about secrets', { type: 'string', description: 'Not secret:NAME.' }, 'text'],
    ['a template', { type: 'string', 'x-widget': 'template' }, 'template'],
    ['a body', { anyOf: [{ type: 'object' }, { type: 'string' }], 'x-widget': 'body' }, 'body']
  ])('gives %s its control', (_, field, control) => {
    expect(controlOf(field)).toBe(control);
  });

  it('writes no defaults into flows, for its schema has none', () => {
    const schema = { properties: { a: { type: 'string', title: 'A', default: 'x' } } };
    expect(formSchema(schema, [])).toEqual({ type: 'object', properties: { a: { title: 'A' } } });
  });

  it('shows fields that nothing is said of', () => {
    const schema = { properties: { limit: { type: 'integer' } } };
    expect(propertiesOf(formSchema(schema, []))).toEqual({ limit: { title: 'limit' } });
  });

  it('shows fields that the node type does not know, so that they can be removed', () => {
    expect(propertiesOf(formSchema({ properties: {} }, ['old']))).toEqual({
      old: { title: 'old' }
    });
  });

  it('has a control for every field of every builtin node type', () => {
    for (const { config } of builtin as unknown as readonly { config: JsonObject }[]) {
      for (const field of Object.values(propertiesOf(config))) {
        expect(controlOf(field)).toBeTypeOf('string');
      }
    }
  });
});
