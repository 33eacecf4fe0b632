import { describe, expect, it } from 'vitest';
import { Controller } from '../../src/core/controller';
import { FlowDocument } from '../../src/core/document';
import type { Services } from '../../src/core/services';
import { keptOf, restore } from '../../src/lab/view';

function canvas(): Controller {
  const document = new FlowDocument();
  document.load(
    '{"format": "iaiflow/1", "nodes": {"a": {"type": "delay"}, "each": {"type": "map", "config":' +
      ' {"body": {"format": "iaiflow/1", "nodes": {"b": {"type": "delay"}}}}}}}'
  );
  const services = { trans: (text: string) => text } as unknown as Services;
  return new Controller({ document, services, builtin: new Map(), mode: 'document' });
}

describe('what a canvas showed', () => {
  it('comes back as it was', () => {
    const before = canvas();
    before.openBody('each', 'body');
    before.select(['b']);
    before.toggle('timeline');
    before.toggle('inspector');
    before.viewports.set(new Map([['each/body', { x: 5, y: -7.5, zoom: 0.5 }]]));
    const kept: unknown = JSON.parse(JSON.stringify(keptOf(before)));
    const after = canvas();
    restore(kept, after);
    expect(keptOf(after)).toEqual(keptOf(before));
  });

  it('comes back only as far as the flow still has it', () => {
    const after = canvas();
    restore({ selection: ['a', 'gone'], scope: [['gone', 'body']] }, after);
    expect([...after.view.get().selection]).toEqual(['a']);
    expect(after.view.get().scope).toEqual([]);
  });

  it.each([
    undefined,
    null,
    'text',
    { panels: ['nonsense', 7], viewports: { '': { x: null, y: 1, zoom: 1 } } },
    { viewports: { '': { x: 0, y: 0, zoom: 0 } }, selection: 'a' }
  ])('is not taken from %j', kept => {
    const after = canvas();
    restore(kept, after);
    expect(keptOf(after)).toEqual(keptOf(canvas()));
  });
});
