/** What our JupyterLab extension leaves on the page for widgets. */
import type { Services } from '../core/services';

interface Bridge {
  services(element: HTMLElement): Promise<Services>;
}

const BRIDGE = Symbol.for('iaiflow.lab');

/** The services of JupyterLab for what stands in an element; null where our extension is not. */
export async function bridgedServices(element: HTMLElement): Promise<Services | null> {
  const bridge = (window as unknown as Record<symbol, Bridge | undefined>)[BRIDGE];
  return bridge ? bridge.services(element) : null;
}

/** The language of a page that has no extension of ours, or its browser's. */
export function pageLanguage(): string {
  return document.documentElement.lang || navigator.language;
}
