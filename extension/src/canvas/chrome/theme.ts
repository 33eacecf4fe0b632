/** Whether the page around is dark. JupyterLab says so itself; other hosts are asked in turn. */
import { useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark';

const DARK = '(prefers-color-scheme: dark)';

function theme(): Theme {
  const { body, documentElement } = document;
  if (body.dataset.jpThemeLight !== undefined) {
    return body.dataset.jpThemeLight === 'false' ? 'dark' : 'light';
  }
  const named = `${body.className} ${documentElement.className} ${documentElement.getAttribute('theme') ?? ''}`;
  if (/\b(vscode-)?dark\b/.test(named)) {
    return 'dark';
  }
  return !/\b(vscode-)?light\b/.test(named) && matchMedia(DARK).matches ? 'dark' : 'light';
}

function subscribe(listener: () => void): () => void {
  const media = matchMedia(DARK);
  const observer = new MutationObserver(listener);
  const options = { attributes: true, attributeFilter: ['class', 'theme', 'data-jp-theme-light'] };
  observer.observe(document.body, options);
  observer.observe(document.documentElement, options);
  media.addEventListener('change', listener);
  return () => {
    observer.disconnect();
    media.removeEventListener('change', listener);
  };
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, theme);
}

const FORCED = '(forced-colors: active)';

function onForced(listener: () => void): () => void {
  const media = matchMedia(FORCED);
  media.addEventListener('change', listener);
  return () => media.removeEventListener('change', listener);
}

/** Whether the system sets all colours: what is painted by a script has to take them itself. */
export function useForcedColors(): boolean {
  return useSyncExternalStore(onForced, () => matchMedia(FORCED).matches);
}
