import { describe, expect, it } from 'vitest';
import { endsOf } from '../../src/canvas/surface/wireEnds';
import type { Wire } from '../../src/core/controller';
import { connect } from '../../src/core/edits/edges';
import { translator } from '../../src/core/i18n';
import { connectable, newInput } from '../../src/core/ports';
import type { Flow } from '../../src/core/flow';
import { catalog, flow } from '../core/flows';
import { sceneOf } from './shown';

const trans = translator('en');

const offered = (made: Flow, from: Wire) =>
  endsOf(sceneOf(made).nodes, from, {
    trans,
    fits: end => connectable(made, catalog, from, end).ok,
    added: node => newInput(made, catalog, from, node)
  });

describe('ends of a wire drawn with the keyboard', () => {
  const from: Wire = { node: 'word', port: 'out', side: 'output' };

  it('are the ports that fit, and inputs that nothing names yet', () => {
    const made = flow({
      word: 'text.template',
      code: { type: 'python', config: { code: 'def main(text):\n    return text' } },
      keep: 'table.filter'
    });
    const texts = offered(made, from).map(({ text }) => text);
    expect(texts).toContain('Python (code) · text');
    expect(texts).toContain('Python (code) · new input word');
    expect(texts.filter(text => text.startsWith('Filter') && text.includes('new'))).toEqual([]);
  });

  it('can be taken, each time under a name that is free', () => {
    let made = flow({ word: 'text.template', code: { type: 'python', config: { code: '' } } });
    for (const name of ['word', 'word2']) {
      const found = offered(made, from).find(({ text }) => text.includes('new input'));
      expect(found?.end.port).toBe(name);
      made = connect(made, from, found?.end ?? from, catalog);
    }
    expect(made.edges.map(edge => edge.targetPort)).toEqual(['word', 'word2']);
  });
});
