import { ReactFlowProvider, useStoreApi } from '@xyflow/react';
import { act, useEffect } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SharedContext } from '../../src/canvas/surface/context';
import { FAR, TINY } from '../../src/canvas/surface/geometry';
import { Shared } from '../../src/canvas/surface/lights';
import { distanceAt, useDistance } from '../../src/canvas/surface/useDistance';
import { EMPTY_FLOW } from '../../src/core/flow';
import { showFlow, type Stage } from './stage';

let stage: Stage;
let root: Root;
let shared: Shared;
let zoom: (factor: number) => void;
let seen: string[];

function Probe() {
  const store = useStoreApi();
  useEffect(() => {
    zoom = factor => act(() => store.setState({ transform: [0, 0, factor] }));
  }, [store]);
  seen.push(useDistance());
  return null;
}

beforeEach(() => {
  stage = showFlow(EMPTY_FLOW);
  shared = new Shared(stage.controller);
  seen = [];
  root = createRoot(document.body.appendChild(document.createElement('div')));
  act(() =>
    root.render(
      <ReactFlowProvider>
        <SharedContext.Provider value={shared}>
          <Probe />
        </SharedContext.Provider>
      </ReactFlowProvider>
    )
  );
});

afterEach(() => {
  act(() => root.unmount());
  act(() => stage.root.unmount());
  document.body.replaceChildren();
});

it('is nearer or farther away as one zooms', () => {
  expect([FAR, FAR - 0.01, TINY, TINY - 0.01].map(distanceAt)).toEqual([
    'near',
    'far',
    'far',
    'tiny'
  ]);
  zoom(0.3);
  zoom(0.1);
  zoom(1);
  expect(new Set(seen)).toEqual(new Set(['near', 'far', 'tiny']));
  expect(seen.at(-1)).toBe('near');
});

it('stays what it was until a gesture ends', () => {
  act(() => shared.gesture.set('zoom'));
  zoom(0.3);
  zoom(0.1);
  expect(new Set(seen)).toEqual(new Set(['near']));
  act(() => shared.gesture.set(null));
  expect(seen.at(-1)).toBe('tiny');
  expect(seen).not.toContain('far');
});

it('follows at once while the view is only shifted', () => {
  act(() => shared.gesture.set('pan'));
  zoom(0.3);
  expect(seen.at(-1)).toBe('far');
});
