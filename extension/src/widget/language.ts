/** The language of the page around a widget. */
import { bridgedServices, pageLanguage } from './bridge';

/** JupyterLab's language where our extension is installed, else the page's or the browser's. */
export async function languageOf(element: HTMLElement): Promise<string> {
  return (await bridgedServices(element))?.language ?? pageLanguage();
}
