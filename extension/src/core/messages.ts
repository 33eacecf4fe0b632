/** Messages in the reader's language, from catalogs whose keys are the English texts. */
import { filled, type Values } from './sentence';

/** Translate a message; `{name}` is replaced from `values`. */
export type Trans = (message: string, values?: Values) => string;

/** Translations of messages, by language. */
export type Catalogs = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A translator into `language` (BCP 47 or `vi_VN`); English for a language that is not there. */
export function translatorFrom(catalogs: Catalogs, language: string): Trans {
  const messages = catalogs[language.toLowerCase().split(/[-_]/)[0] ?? ''] ?? {};
  return (message, values = {}) => filled({ message: own(messages, message) ?? message, values });
}

function own(messages: Readonly<Record<string, string>>, message: string): string | undefined {
  return Object.hasOwn(messages, message) ? messages[message] : undefined;
}
