import { describe, expect, it } from 'vitest';
import { Detail, FROM_AFAR, type Contents } from '../../src/canvas/surface/detail';
import { Levels } from '../../src/canvas/surface/levels';
import { SceneMaker, type CardNode, type Wire } from '../../src/canvas/surface/scene';
import { namesIn } from '../../src/canvas/surface/names';
import { viewBox } from '../../src/canvas/surface/useDetail';
import { curve, split, strands } from '../../src/canvas/surface/wires';
import { EMPTY_FLOW, type Flow } from '../../src/core/flow';
import { translator } from '../../src/core/i18n';
import { CATALOG } from '../../src/testpage/types';
import { bigFlow } from '../../src/testpage/flows';

const VIEW = { x: 0, y: 0, width: 1_000, height: 400 };

/** Frames that come when they are asked for. */
class Frames {
  private waiting: (() => void)[] = [];
  readonly later = (call: () => void): void => void this.waiting.push(call);

  /** Let frames pass until nothing more is due; returns how many there were. */
  pass(): number {
    let count = 0;
    for (; this.waiting.length > 0; count += 1) {
      this.waiting.splice(0).forEach(call => call());
    }
    return count;
  }
}

function contents(flow: Flow): Contents {
  const ids = Object.keys(flow.nodes);
  const boxes = new Map(
    ids.map(id => {
      const [x, y] = flow.layout[id] ?? [0, 0];
      return [id, { x, y, width: 224, height: 82 }];
    })
  );
  const next = (id: string): string[] =>
    flow.edges.flatMap(({ source, target }) =>
      source === id ? target : target === id ? source : []
    );
  return { boxes, neighbours: next };
}

describe('how much is shown of a large flow', () => {
  const flow = contents(bigFlow(1_000));

  it('is whole in sight, a few cards with each frame', () => {
    const frames = new Frames();
    const detail = new Detail(frames.later);
    detail.renew({ ...VIEW, width: 4_000, height: 2_000 }, flow);
    const sizes: number[] = [];
    detail.near.subscribe(() => sizes.push(detail.near.get().cards.size));
    expect(frames.pass()).toBeGreaterThan(5);
    expect(detail.near.get().cards.has('n0')).toBe(true);
    expect(detail.near.get().cards.has('n999')).toBe(false);
    const steps = sizes.map((size, at) => size - (sizes[at - 1] ?? 0));
    expect(Math.max(...steps)).toBeLessThanOrEqual(16);
  });

  it('stays as it is while the view stays within what was made ready', () => {
    const frames = new Frames();
    const detail = new Detail(frames.later);
    detail.look(VIEW, flow);
    frames.pass();
    const before = detail.near.get();
    detail.look({ ...VIEW, x: 50 }, flow);
    expect(detail.near.get()).toBe(before);
    detail.look({ ...VIEW, x: 5_000 }, flow);
    frames.pass();
    expect(detail.near.get().cards.has('n0')).toBe(false);
    expect(detail.near.get().cards.has('n20')).toBe(true);
  });

  it('holds the neighbours of what is in sight, so that their wires can be pointed at', () => {
    const frames = new Frames();
    const detail = new Detail(frames.later);
    detail.look({ ...VIEW, x: 280 * 39, width: 200, height: 100 }, flow);
    frames.pass();
    expect(detail.near.get().cards.has('n40')).toBe(true);
  });

  it('has a bound, and nothing is whole from afar', () => {
    const frames = new Frames();
    const detail = new Detail(frames.later);
    detail.look({ ...VIEW, width: 20_000, height: 20_000 }, flow);
    frames.pass();
    expect(detail.near.get().cards.size).toBe(400);
    detail.leave();
    expect(detail.near.get()).toBe(FROM_AFAR);
    expect(frames.pass()).toBe(0);
  });

  it('is looked for in flow coordinates', () => {
    expect(viewBox([-100, 50, 0.5], 800, 600)).toEqual({
      x: 200,
      y: -100,
      width: 1600,
      height: 1200
    });
  });
});

function sceneOf(flow: Flow) {
  return new SceneMaker().make({
    flow,
    catalog: CATALOG,
    selection: new Set(),
    selectedEdges: new Set(),
    sizes: new Map(),
    compared: null,
    names: namesIn(translator('en')),
    prefix: 'it',
    editable: true
  });
}

describe('levels of detail', () => {
  it('make anew only the cards whose level changes', () => {
    const { nodes } = sceneOf(bigFlow(6));
    const levels = new Levels();
    const boxes = levels.apply(nodes, () => 'box');
    const mixed = levels.apply(nodes, id => (id === 'n2' ? 'whole' : 'box'));
    expect(mixed.flatMap((node, at) => (node === boxes[at] ? [] : node.id))).toEqual(['n2']);
    expect(mixed[2]).toBe(nodes[2]);
    expect(levels.apply(nodes, () => 'box')).toEqual(boxes);
  });

  it('keep the data of a card that is only selected', () => {
    const maker = sceneOf(bigFlow(2)).nodes as CardNode[];
    const levels = new Levels();
    const [before] = levels.apply(maker, () => 'box') as CardNode[];
    const selected = maker.map(node => ({ ...node, selected: true }));
    const [after] = levels.apply(selected, () => 'box') as CardNode[];
    expect(after).not.toBe(before);
    expect(after?.data).toBe(before?.data);
  });
});

describe('the wires of a large flow', () => {
  const scene = sceneOf({ ...EMPTY_FLOW, ...bigFlow(1_000) });
  const drawn = new Map(scene.nodes.map(node => [node.id, node]));
  const ids = (wires: readonly Wire[]): string[] => wires.map(({ target }) => target);

  it('are all in the drawing from afar', () => {
    const { live, still } = split(scene.edges, FROM_AFAR, drawn);
    expect(live).toEqual([]);
    expect(still).toHaveLength(999);
  });

  it('can be pointed at between whole cards; those out of sight are left out', () => {
    const near = { cards: new Set(['n0', 'n1', 'n2']), region: VIEW };
    const { live, still } = split(scene.edges, near, drawn);
    expect(ids(live)).toEqual(['n1', 'n2']);
    expect(ids(still)).toContain('n3');
    expect(ids(still)).not.toContain('n30');
  });

  it('run in few paths, from rim to rim', () => {
    const paths = strands(scene.edges, drawn);
    expect(paths).toHaveLength(20);
    expect(new Set(paths.map(({ key }) => key)).size).toBe(20);
    expect(paths.map(({ path }) => path.match(/M/g)?.length).reduce((a = 0, b = 0) => a + b)).toBe(
      999
    );
    const [wire] = scene.edges;
    expect(wire && curve(wire, drawn)).toMatch(/^M229,64 C.* 275,64$/);
  });

  it('are drawn apart when they differ', () => {
    const [first, ...others] = scene.edges.slice(0, 10);
    const wires = first ? [{ ...first, selected: true }, ...others] : [];
    expect(strands(wires, drawn).map(({ selected }) => selected)).toEqual([true, false]);
  });

  it('end nowhere without a card', () => {
    const [wire] = scene.edges;
    expect(wire && curve(wire, new Map())).toBe('');
  });
});
