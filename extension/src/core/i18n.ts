/**
 * The canvas's own translations. English text is the key; a language is a JSON file beside this one.
 */
import vietnamese from './locale/vi.json';
import { translatorFrom, type Trans } from './messages';

export type { Trans };

/** A translator into `language` (BCP 47 or `vi_VN`); English for a language that is not here. */
export function translator(language: string): Trans {
  return translatorFrom({ vi: vietnamese }, language);
}
