import { ReactFlowProvider } from '@xyflow/react';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { expect, it } from 'vitest';
import { SharedContext } from '../../src/canvas/surface/context';
import { Shared } from '../../src/canvas/surface/lights';
import { useScene, type LiveScene } from '../../src/canvas/surface/useScene';
import { ControllerContext } from '../../src/canvas/hooks';
import { bigFlow } from '../../src/testpage/flows';
import { showFlow } from './stage';

it('leaves what is dropped where it was dragged to, drawn there or not', () => {
  const { controller, root } = showFlow(bigFlow(2));
  let scene: LiveScene | null = null;
  const Probe = () => {
    scene = useScene(controller, false);
    return null;
  };
  const other = createRoot(document.createElement('div'));
  act(() =>
    other.render(
      <ControllerContext.Provider value={controller}>
        <SharedContext.Provider value={new Shared(controller)}>
          <ReactFlowProvider>
            <Probe />
          </ReactFlowProvider>
        </SharedContext.Provider>
      </ControllerContext.Provider>
    )
  );
  const at = (x: number, dragging: boolean) =>
    [{ type: 'position', id: 'n1', position: { x, y: 7 }, dragging }] as const;
  act(() => {
    scene?.onNodesChange([...at(700, true)]);
    scene?.onNodesChange([...at(702, false)]);
    scene?.settle();
  });
  expect(controller.flow.layout['n1']).toEqual([702, 7]);
  act(() => {
    other.unmount();
    root.unmount();
  });
});
