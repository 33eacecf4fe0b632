/** The door for hosts: puts a canvas into an element of the page. */
import { createRoot } from 'react-dom/client';
import type { Controller } from '../core/controller';
import { App } from './App';
import { ControllerContext } from './hooks';

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
  root.render(
    <ControllerContext.Provider value={controller}>
      <App controller={controller} compact={options.compact} />
    </ControllerContext.Provider>
  );
  return { dispose: () => root.unmount() };
}
