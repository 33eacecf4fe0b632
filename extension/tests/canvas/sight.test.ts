import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shows } from '../../src/canvas/surface/useFit';
import { shift, shiftToEnd } from '../../src/canvas/surface/sight';

const VIEW = { x: 0, y: 0, zoom: 1 };
const ROOM = { x: 0, y: 0, width: 350, height: 600 };

describe('a node that a panel would hide', () => {
  it('is left where it is while it is in sight', () => {
    expect(shift({ x: 40, y: 40, width: 200, height: 90 }, VIEW, ROOM)).toEqual([0, 0]);
  });

  it('moves no further than into the room that is left', () => {
    expect(shift({ x: 300, y: 40, width: 200, height: 90 }, VIEW, ROOM)).toEqual([-174, 0]);
    expect(shift({ x: -50, y: 590, width: 200, height: 90 }, VIEW, ROOM)).toEqual([74, -104]);
  });

  it('shows its beginning when there is no room for the whole', () => {
    expect(shift({ x: 500, y: 40, width: 400, height: 90 }, VIEW, ROOM)[0]).toBe(-476);
  });

  it('stays where it is when a panel covers nearly everything', () => {
    const strip = { ...ROOM, width: 56 };
    expect(shift({ x: 300, y: 40, width: 200, height: 90 }, VIEW, strip)).toEqual([0, 0]);
  });

  it('is in sight wherever it was', () => {
    const at = fc.integer({ min: -5_000, max: 5_000 });
    fc.assert(
      fc.property(at, at, at, fc.double({ min: 0.3, max: 1.4, noNaN: true }), (x, y, pan, zoom) => {
        const node = { x, y, width: 200, height: 90 };
        const view = { x: pan, y: -pan, zoom };
        const [dx, dy] = shift(node, view, ROOM);
        const moved = { ...view, x: view.x + dx, y: view.y + dy };
        expect(shift(node, moved, ROOM).every(by => Math.abs(by) < 0.001)).toBe(true);
        expect(shows(moved, node, ROOM.width, ROOM.height)).toBe(true);
      })
    );
  });
});

describe('a card that grows while people look at it', () => {
  const card = { x: 40, y: 300, width: 200, height: 350 };

  it('moves up until its end is in sight', () => {
    expect(shiftToEnd(card, ROOM)).toEqual([0, -74]);
    expect(shiftToEnd({ ...card, y: 240 }, ROOM)).toEqual([0, 0]);
  });

  it('shows its end where there is no room for the whole', () => {
    expect(shiftToEnd({ ...card, height: 900 }, ROOM)).toEqual([0, -624]);
  });

  it('is left alone where people have moved away from it', () => {
    expect(shiftToEnd({ ...card, y: 590 }, ROOM)).toEqual([0, 0]);
  });
});
