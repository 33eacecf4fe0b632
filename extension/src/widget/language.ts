/** The language of the page around a widget. */

/** What our JupyterLab extension leaves on the page. */
interface Bridge {
  services(element: HTMLElement): Promise<{ readonly language: string }>;
}

/** JupyterLab's language where our extension is installed, else the page's or the browser's. */
export async function languageOf(element: HTMLElement): Promise<string> {
  const bridge = (window as unknown as Record<symbol, Bridge | undefined>)[BRIDGE];
  const own = document.documentElement.lang || navigator.language;
  return bridge ? (await bridge.services(element)).language : own;
}

const BRIDGE = Symbol.for('iaiflow.lab');
