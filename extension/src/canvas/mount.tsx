/** The door for hosts: puts a canvas into an element of the page. */
import type { KeyboardEvent } from 'react';
import { createRoot } from 'react-dom/client';
import type { Controller } from '../core/controller';
import { followDocument } from '../core/follow';
import { App } from './App';
import { useTheme } from './chrome/theme';
import { ControllerContext, InlineContext } from './hooks';

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
  const forget = followDocument(controller);
  root.render(
    <ControllerContext.Provider value={controller}>
      <InlineContext.Provider value={options.compact}>
        <Root controller={controller} compact={options.compact} />
      </InlineContext.Provider>
    </ControllerContext.Provider>
  );
  return {
    dispose: () => {
      forget();
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
      onKeyDown={keepKeys}
      onContextMenu={event => event.stopPropagation()}
    >
      <App controller={controller} compact={compact} />
    </div>
  );
}

/** With Control or Command, the host has its own keys; these are the canvas's. */
const OWN = new Set(['a', 'c', 'd', 'e', 'f', 'g', 'v', 'x', 'y', 'z', '.', 'enter']);

/**
 * Keys end here. A notebook around the canvas would take them for commands on its cells: `d d` on a
 * focused node would delete the cell. Keys that are the host's alone, as Ctrl+S, go on.
 */
function keepKeys(event: KeyboardEvent): void {
  const mod = event.ctrlKey || event.metaKey;
  if (!mod || event.defaultPrevented || OWN.has(event.key.toLowerCase())) {
    event.stopPropagation();
  }
}
