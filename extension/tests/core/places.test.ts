import { describe, expect, it } from 'vitest';
import { Controller } from '../../src/core/controller';
import { FlowDocument } from '../../src/core/document';
import { move } from '../../src/core/edits/arrange';
import { setTitle } from '../../src/core/edits/nodes';
import { dumpFlow } from '../../src/core/file';
import type { Flow } from '../../src/core/flow';
import { placed } from '../../src/core/places';
import { plainServices } from '../../src/plain';
import { catalog, flow } from './flows';

const fork = (): Flow => ({
  ...flow({ a: 'template', b: 'template', c: 'template', d: 'template' }, [
    'a.out -> b.value',
    'a.out -> c.value',
    'b.out -> d.x',
    'c.out -> d.y'
  ]),
  layout: {}
});

function canvas(shown: Flow): Controller {
  const document = new FlowDocument();
  document.load(dumpFlow(shown));
  return new Controller({
    document,
    services: plainServices({ place: window.document.body }),
    builtin: catalog,
    mode: 'document'
  });
}

describe('places of nodes that have none', () => {
  it('are a column for each rank, each its own', () => {
    const { layout } = placed(fork());
    expect(layout.a?.[0]).toBeLessThan(layout.b?.[0] ?? 0);
    expect(layout.b?.[0]).toBe(layout.c?.[0]);
    expect(layout.c?.[0]).toBeLessThan(layout.d?.[0] ?? 0);
    expect(new Set(Object.values(layout).map(at => at.join())).size).toBe(4);
    expect(placed(fork()).layout).toEqual(layout);
  });

  it('leave room for what a node shows when it has run', () => {
    const { layout } = placed(fork());
    const rows = [layout.b?.[1] ?? 0, layout.c?.[1] ?? 0];
    expect(Math.max(...rows) - Math.min(...rows)).toBeGreaterThanOrEqual(300);
  });

  it('are found for nodes on a cycle too', () => {
    const made = { ...flow({ a: 'delay', b: 'delay' }, ['a.out -> b.value', 'b.out -> a.value']) };
    const { layout } = placed({ ...made, layout: {} });
    expect(layout.a?.join()).not.toBe(layout.b?.join());
  });

  it('leave what has a place where it is, and lie beside it', () => {
    const made: Flow = { ...fork(), layout: { a: [40, 50], b: [400, 300] } };
    const { layout } = placed(made);
    expect(layout.a).toEqual([40, 50]);
    expect(Math.min(layout.c?.[1] ?? 0, layout.d?.[1] ?? 0)).toBeGreaterThan(300);
    const whole = placed(made);
    expect(placed(whole)).toBe(whole);
  });

  it('are not stored until something is moved', () => {
    const controller = canvas(fork());
    expect(Object.keys(controller.flow.layout)).toHaveLength(4);
    controller.edit('Rename', before => setTitle(before, 'a', 'First'));
    expect(controller.document.flow.get().layout).toEqual({});
    controller.edit('Move', before => move(before, new Map([['a', [7, 8]]])));
    const { layout } = controller.document.flow.get();
    expect(layout).toEqual({ ...placed(fork()).layout, a: [7, 8] });
    controller.document.undo();
    expect(controller.document.flow.get().layout).toEqual({});
  });
});
