/** What canvases in notebook outputs find in JupyterLab: `window[Symbol.for('iaiflow.lab')]`. */
import type { Services } from '../core/services';
import { RELEASE } from './names';
import { placeOf, type Host } from './place';

export interface Bridge {
  readonly version: string;
  /** What JupyterLab lends to the canvas in this element. */
  services(element: HTMLElement): Promise<Services>;
}

export function openBridge(host: Host): void {
  const bridge: Bridge = {
    version: RELEASE,
    services: async element => {
      const { labServices } = await import('./services');
      return labServices(host, placeOf(host, element));
    }
  };
  Object.defineProperty(window, Symbol.for('iaiflow.lab'), { value: bridge, configurable: true });
}
