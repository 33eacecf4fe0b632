import { describe, expect, it } from 'vitest';
import { namesIn } from '../../src/canvas/surface/names';
import { translator } from '../../src/core/i18n';
import { laidOver } from '../../src/canvas/surface/overlay';
import { groupKey, NO_OVERLAY, noteKey, SceneMaker } from '../../src/canvas/surface/scene';
import { EMPTY_FLOW } from '../../src/core/flow';

const NOTE = noteKey('n');
const { nodes } = new SceneMaker().make({
  flow: {
    ...EMPTY_FLOW,
    nodes: { a: { type: 'x' }, b: { type: 'x' } },
    layout: { a: [0, 0], b: [300, 0] },
    notes: [{ id: 'n', text: '', x: 0, y: 0, width: 200, height: 100 }],
    groups: [{ id: 'g', title: '', nodes: ['a', 'b'] }]
  },
  catalog: new Map(),
  selection: new Set(),
  selectedEdges: new Set(),
  sizes: new Map(),
  compared: null,
  names: namesIn(translator('en')),
  prefix: 'it',
  editable: true
});
const resize = (width: number, resizing?: boolean) =>
  ({ id: NOTE, type: 'dimensions', dimensions: { width, height: 100 }, resizing }) as const;

describe('what lies over the flow', () => {
  it('shows a note as large as it is being dragged, and as the document says afterwards', () => {
    const place = { id: NOTE, type: 'position', position: { x: -10, y: 0 } } as const;
    const during = laidOver(NO_OVERLAY, [place, resize(210, true)], nodes);
    expect(during.sizes.get(NOTE)).toEqual([210, 100]);
    const after = laidOver(during, [resize(210, false)], nodes);
    expect([after.sizes.size, after.positions.size]).toEqual([0, 0]);
    expect(laidOver(after, [resize(210)], nodes).sizes.size).toBe(0);
  });

  it('keeps measured sizes of nodes', () => {
    const measured = {
      id: 'a',
      type: 'dimensions',
      dimensions: { width: 224, height: 90 }
    } as const;
    expect(laidOver(NO_OVERLAY, [measured], nodes).sizes.get('a')).toEqual([224, 90]);
  });

  it('moves the nodes of a group with its frame', () => {
    const frame = nodes.find(node => node.id === groupKey('g'));
    const { x = 0, y = 0 } = frame?.position ?? {};
    const moved = { id: groupKey('g'), type: 'position', position: { x: x + 5, y } } as const;
    const { positions } = laidOver(NO_OVERLAY, [moved], nodes);
    expect([...positions]).toEqual([
      ['a', [5, 0]],
      ['b', [305, 0]]
    ]);
  });
});
