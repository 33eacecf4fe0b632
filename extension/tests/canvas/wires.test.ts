import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wireAt } from '../../src/canvas/surface/nearWire';
import { flow } from '../core/flows';
import { sceneOf } from './shown';

const made = flow(
  { a: 'text.template', b: 'text.template', c: 'text.template' },
  ['a.out -> b.x', 'a.out -> c.x'],
  { layout: { a: [0, 0], b: [600, -400], c: [600, 400] } }
);
const scene = sceneOf(made);
const drawn = new Map(scene.nodes.map(node => [node.id, node]));
const targetAt = (x: number, y: number, reach = 9): string | undefined =>
  wireAt(scene.edges, drawn, [x, y], reach)?.target;

describe('the wire at a point', () => {
  it('is the nearest one within reach', () => {
    expect(targetAt(590, -336)).toBe('b');
    expect(targetAt(590, 464)).toBe('c');
    expect(targetAt(600, 64)).toBeUndefined();
    expect(targetAt(590, 0, 1000)).toBe('b');
  });

  it('is met half way, where a curve crosses the middle between its ends', () => {
    const half = [(229 + 595) / 2, (64 - 336) / 2] as const;
    expect(targetAt(...half)).toBe('b');
  });

  it('is none where an end of it is nowhere', () => {
    expect(wireAt(scene.edges, new Map(), [590, -336], 1000)).toBeNull();
  });

  it('is never farther away than asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -300, max: 1000 }),
        fc.integer({ min: -900, max: 900 }),
        (x, y) => {
          const outside = x < 200 || x > 620 || y < -360 || y > 490;
          expect(outside && targetAt(x, y) !== undefined).toBe(false);
        }
      )
    );
  });
});
