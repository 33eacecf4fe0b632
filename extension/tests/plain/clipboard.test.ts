import { expect, it, vi } from 'vitest';
import { translator } from '../../src/core/i18n';
import { copyText, pasteText } from '../../src/plain/clipboard';

it('says why it cannot paste, and pastes what was copied here where it may not read', async () => {
  vi.stubGlobal('navigator', {});
  const trans = translator('en');
  await expect(pasteText(trans)).rejects.toThrow('does not let this page read the clipboard');
  document.execCommand = vi.fn(() => true);
  await copyText('flow');
  expect(document.execCommand).toHaveBeenCalledWith('copy');
  expect(await pasteText(trans)).toBe('flow');
  vi.unstubAllGlobals();
});

it('takes the clipboard of the browser where it may', async () => {
  const clipboard = { writeText: vi.fn(async () => undefined), readText: async () => 'theirs' };
  vi.stubGlobal('navigator', { clipboard });
  await copyText('mine');
  expect(clipboard.writeText).toHaveBeenCalledWith('mine');
  expect(await pasteText(translator('en'))).toBe('theirs');
  vi.unstubAllGlobals();
});
