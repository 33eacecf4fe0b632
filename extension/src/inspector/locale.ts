/** The inspector's own translations: the canvas's are no part of its file. */
import type { Trans } from '../core/messages';
import { translatorFrom } from '../core/messages';
import vietnamese from './vi.json';

export function translatorOfMemory(language: string): Trans {
  return translatorFrom({ vi: vietnamese }, language);
}
