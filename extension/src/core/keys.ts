/** Keys as commands name them: `Mod+Shift+K`, `Delete`, `?`; `Mod` is Command on macOS. */

/** What a keyboard event says; the DOM's own fits. */
export interface KeyPress {
  readonly key: string;
  readonly code?: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly isComposing?: boolean;
}

const MAC_SIGNS: Readonly<Record<string, string>> = {
  Mod: '⌘',
  Shift: '⇧',
  Alt: '⌥',
  Enter: '↩',
  Delete: '⌦',
  Backspace: '⌫'
};

/** Whether the page runs on a Mac, where Command takes Control's place. */
export function isMac(): boolean {
  return typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);
}

/** Whether a key press is what `keys` names. */
export function pressed(keys: string, event: KeyPress, mac = isMac()): boolean {
  const { wanted, modifiers } = split(keys);
  const mod = mac ? event.metaKey : event.ctrlKey;
  const other = mac ? event.ctrlKey : event.metaKey;
  return (
    !event.isComposing &&
    !other &&
    mod === modifiers.has('Mod') &&
    event.altKey === modifiers.has('Alt') &&
    (isSign(wanted) || event.shiftKey === modifiers.has('Shift')) &&
    sameKey(wanted, event)
  );
}

/** How people read keys: `Ctrl+D`, on a Mac `⌘D`. */
export function spellKeys(keys: string, mac = isMac()): string {
  const { wanted, modifiers } = split(keys);
  const parts = [...modifiers, wanted];
  return mac
    ? parts.map(part => MAC_SIGNS[part] ?? part).join('')
    : parts.map(part => (part === 'Mod' ? 'Ctrl' : part)).join('+');
}

function split(keys: string): { wanted: string; modifiers: ReadonlySet<string> } {
  const parts = keys === '+' ? ['+'] : keys.split('+');
  return { wanted: parts.at(-1) ?? '', modifiers: new Set(parts.slice(0, -1)) };
}

/** Which signs need Shift depends on the keyboard, so it is not asked for. */
function isSign(key: string): boolean {
  return key.length === 1 && !/[a-z0-9]/i.test(key);
}

function sameKey(wanted: string, event: KeyPress): boolean {
  if (event.key.toLowerCase() === wanted.toLowerCase()) {
    return true;
  }
  // Alt makes another sign of a letter on a Mac: the key's place tells which it was.
  return event.altKey && event.code === `Key${wanted.toUpperCase()}`;
}
