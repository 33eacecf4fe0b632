/** The clipboard, also on pages that may not use it: those without HTTPS, or without leave. */
import type { Trans } from '../core/i18n';

/** What was copied last on this page. */
let kept = '';

/** Copy a text, by the older way where the newer is not allowed. */
export async function copyText(text: string): Promise<void> {
  kept = text;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const give = (event: ClipboardEvent): void => {
      event.preventDefault();
      event.clipboardData?.setData('text/plain', text);
    };
    document.addEventListener('copy', give, { once: true });
    document.execCommand('copy');
    document.removeEventListener('copy', give);
  }
}

/**
 * The clipboard's text; where it may not be read, what was copied on this page.
 *
 * @throws Error Nothing was.
 */
export async function pasteText(trans: Trans): Promise<string> {
  try {
    return await navigator.clipboard.readText();
  } catch {
    if (kept) {
      return kept;
    }
    throw new Error(
      trans('The browser does not let this page read the clipboard; allow it, or open it by HTTPS.')
    );
  }
}
