import { describe, expect, it } from 'vitest';
import { pressed, spellKeys, type KeyPress } from '../../src/core/keys';

function press(key: string, held: Partial<KeyPress> = {}): KeyPress {
  return { key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held };
}

describe('keys', () => {
  it('take Command on a Mac and Control elsewhere', () => {
    expect(pressed('Mod+D', press('d', { ctrlKey: true }), false)).toBe(true);
    expect(pressed('Mod+D', press('d', { metaKey: true }), false)).toBe(false);
    expect(pressed('Mod+D', press('d', { metaKey: true }), true)).toBe(true);
    expect(pressed('Mod+D', press('d', { ctrlKey: true, metaKey: true }), true)).toBe(false);
  });

  it('ask for Shift with letters and names, never with signs', () => {
    expect(pressed('Mod+Z', press('Z', { ctrlKey: true, shiftKey: true }), false)).toBe(false);
    expect(pressed('Mod+Shift+Z', press('Z', { ctrlKey: true, shiftKey: true }), false)).toBe(true);
    expect(pressed('?', press('?', { shiftKey: true }), false)).toBe(true);
    expect(pressed('/', press('/'), false)).toBe(true);
    expect(pressed('Shift+Enter', press('Enter'), false)).toBe(false);
  });

  it('know plus as a key', () => {
    expect(pressed('+', press('+', { shiftKey: true }), false)).toBe(true);
    expect(spellKeys('+', false)).toBe('+');
  });

  it('know a letter by its place when Alt makes another sign of it', () => {
    const event = press('å', { altKey: true, code: 'KeyA' });
    expect(pressed('Alt+A', event, true)).toBe(true);
  });

  it('leave a word that is being composed alone', () => {
    expect(pressed('N', press('n', { isComposing: true }), false)).toBe(false);
  });

  it('are spelled as on the keyboard', () => {
    expect(spellKeys('Mod+Shift+K', false)).toBe('Ctrl+Shift+K');
    expect(spellKeys('Mod+Shift+K', true)).toBe('⌘⇧K');
  });
});
