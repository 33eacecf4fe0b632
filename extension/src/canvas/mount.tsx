/** The door for hosts: puts a canvas into an element of the page. */
import { createRoot } from 'react-dom/client';
import type { Controller } from '../core/controller';
import { followDocument } from '../core/follow';
import { App } from './App';
import { refreshWhenAwake } from './awake';
import { useTheme } from './chrome/theme';
import { ControllerContext, InlineContext } from './hooks';
import { keepKeys } from './keys';

export interface MountOptions {
  /** Whether the host offers no toolbar and little room, as in a notebook's output. */
  readonly compact: boolean;
}

/** Show the canvas until it is disposed. */
export function mountCanvas(
  element: HTMLElement,
  controller: Controller,
  options: MountOptions
): { dispose(): void } {
  const root = createRoot(element);
  const ends = [followDocument(controller), keepKeys(element), refreshWhenAwake(controller)];
  root.render(
    <ControllerContext.Provider value={controller}>
      <InlineContext.Provider value={options.compact}>
        <Root controller={controller} compact={options.compact} />
      </InlineContext.Provider>
    </ControllerContext.Provider>
  );
  return {
    dispose: () => {
      ends.forEach(end => end());
      root.unmount();
    }
  };
}

function Root({
  controller,
  compact
}: {
  readonly controller: Controller;
  readonly compact: boolean;
}) {
  return (
    <div
      className="iai-root"
      data-theme={useTheme()}
      lang={controller.services.language}
      onContextMenu={event => event.stopPropagation()}
    >
      <App controller={controller} compact={compact} />
    </div>
  );
}
