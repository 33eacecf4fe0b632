/** Messages that come and go at the edge of the page. */
import type { Trans } from '../core/i18n';

type Kind = 'info' | 'success' | 'warning' | 'error';

const SECONDS: Readonly<Record<Kind, number>> = { info: 5, success: 5, warning: 10, error: 20 };
const MOST = 5;

/** Show a message in `place`; it goes by itself, or when its button is pressed. */
export function toast(place: HTMLElement, message: string, kind: Kind, trans: Trans): void {
  const toasts = tray(place);
  while (toasts.childElementCount >= MOST) {
    toasts.firstElementChild?.remove();
  }
  const shown = document.createElement('div');
  shown.className = `iai-toast iai-toast-${kind}`;
  shown.setAttribute('role', kind === 'error' ? 'alert' : 'status');
  const text = document.createElement('span');
  text.textContent = message;
  const close = document.createElement('button');
  close.type = 'button';
  close.textContent = '×';
  close.setAttribute('aria-label', trans('Close'));
  close.addEventListener('click', () => shown.remove());
  shown.append(text, close);
  toasts.append(shown);
  setTimeout(() => shown.remove(), SECONDS[kind] * 1000);
}

function tray(place: HTMLElement): HTMLElement {
  const known = place.querySelector<HTMLElement>(':scope > .iai-toasts');
  if (known) {
    return known;
  }
  const made = document.createElement('div');
  made.className = 'iai-toasts';
  place.append(made);
  return made;
}
