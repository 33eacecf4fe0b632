import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapSize, openingView, readableView, viewOfAll } from '../../src/canvas/surface/fit';
import { LEAST, MANY } from '../../src/canvas/surface/geometry';

const SURFACE = { width: 512, height: 640 };

describe('the map of the flow', () => {
  it('gets smaller on a narrow surface, and is gone where it would cover everything', () => {
    const large = mapSize({ width: 1200, height: 800 });
    const small = mapSize(SURFACE);
    expect(small?.width).toBeLessThan(large?.width ?? 0);
    expect(mapSize({ width: 300, height: 640 })).toBeNull();
    expect(mapSize({ width: 1200, height: 200 })).toBeNull();
  });
});

describe('a flow that is fitted in', () => {
  it('lies neither under the map nor under the zoom bar', () => {
    const size = fc.integer({ min: 50, max: 6_000 });
    fc.assert(
      fc.property(size, size, fc.boolean(), (width, height, shown) => {
        const map = shown ? mapSize(SURFACE) : null;
        const view = viewOfAll({ x: -70, y: 30, width, height }, SURFACE, map);
        const right = (width - 70) * view.zoom + view.x;
        const bottom = (height + 30) * view.zoom + view.y;
        expect(bottom).toBeLessThanOrEqual(SURFACE.height - 47);
        expect(
          !map || right <= SURFACE.width - map.width || bottom <= SURFACE.height - map.height
        ).toBe(true);
      })
    );
  });

  it('is shown from its beginning where its names could not be read', () => {
    const view = readableView({ x: 100, y: 0, width: 4_000, height: 400 }, SURFACE, null);
    expect(view.zoom).toBe(LEAST);
    expect(100 * view.zoom + view.x).toBeGreaterThan(0);
    expect(readableView({ x: 0, y: 0, width: 900, height: 400 }, SURFACE, null).zoom).toBeLessThan(
      1
    );
  });
});

describe('a flow that is opened', () => {
  const flow = (width: number) => ({ x: 0, y: 0, width, height: 130 });

  it('is shown whole as long as its names can be read', () => {
    for (const width of [600, 1_124, 2_000]) {
      expect(openingView(flow(width), SURFACE, null, 4)).toEqual(
        viewOfAll(flow(width), SURFACE, null)
      );
    }
  });

  it('is shown from its beginning, near enough to work on, where they could not be', () => {
    const small = openingView(flow(4_000), SURFACE, null, 12);
    expect([small.zoom, small.x > 0]).toEqual([0.5, true]);
    expect(openingView(flow(2_000), SURFACE, null, MANY + 1).zoom).toBe(0.5);
  });
});
