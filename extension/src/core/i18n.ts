/**
 * The canvas's own translations. English text is the key; a language is a JSON file beside this one.
 */
import vietnamese from './locale/vi.json';
import { filled } from './sentence';

/** Translate a message; `{name}` is replaced from `values`. */
export type Trans = (message: string, values?: Readonly<Record<string, string | number>>) => string;

const LANGUAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = { vi: vietnamese };

/** A translator into `language` (BCP 47 or `vi_VN`); English for a language that is not here. */
export function translator(language: string): Trans {
  const messages = LANGUAGES[language.toLowerCase().split(/[-_]/)[0] ?? ''] ?? {};
  return (message, values = {}) => filled({ message: own(messages, message) ?? message, values });
}

function own(messages: Readonly<Record<string, string>>, message: string): string | undefined {
  return Object.hasOwn(messages, message) ? messages[message] : undefined;
}
