/** Kinds, times, states and reasons as people read them. */
import { moment } from '../core/format';
import type { Trans } from '../core/messages';
import { visible } from '../core/text';
import type { Item, Kind, Part, Scope } from './types';

export function kindText(kind: Kind, trans: Trans): string {
  const texts: Readonly<Record<Kind, string>> = {
    episodic: trans('Episodic'),
    semantic: trans('Semantic'),
    procedural: trans('Procedural'),
    working: trans('Working')
  };
  return texts[kind] ?? kind;
}

/** What a kind of memory is for. */
export function kindHelp(kind: Kind, trans: Trans): string {
  const texts: Readonly<Record<Kind, string>> = {
    episodic: trans('What happened'),
    semantic: trans('What is so'),
    procedural: trans('How to do something'),
    working: trans('Of the task at hand')
  };
  return texts[kind] ?? '';
}

/** What must be known of how a memory stands; "": it is so now. */
export function standingText(item: Item, trans: Trans, language: string): string {
  const at = (seconds: number | null): string => whenText(seconds, language);
  switch (item.standing) {
    case 'forgotten':
      return trans('Forgotten {moment}', { moment: at(item.recorded_to) });
    case 'expired':
      return trans('Expired {moment}', { moment: at(item.expires_at) });
    case 'over':
      return trans('Was so until {moment}', { moment: at(item.valid_to) });
    case 'later':
      return trans('Will be so from {moment}', { moment: at(item.valid_from) });
    case 'now':
      return item.valid_to === null
        ? ''
        : trans('Is so until {moment}', { moment: at(item.valid_to) });
  }
}

/** A moment in the reader's language and time; "?": no calendar has it. */
export function whenText(seconds: number | null, language: string): string {
  return seconds === null || !hasDate(seconds) ? '?' : moment(seconds, language);
}

export function spanText(
  from: number | null,
  to: number | null,
  trans: Trans,
  language: string
): string {
  const start = from === null ? '…' : whenText(from, language);
  return to === null
    ? trans('since {moment}', { moment: start })
    : trans('{start} to {end}', { start, end: whenText(to, language) });
}

export interface Day {
  /** What tells it from other days. */
  readonly key: string;
  readonly title: string;
  readonly items: readonly Item[];
}

/** Memories by the day on which they were said, in their order. */
export function days(items: readonly Item[], language: string): readonly Day[] {
  const made: { key: string; title: string; items: Item[] }[] = [];
  for (const item of items) {
    const date = new Date((item.at ?? NaN) * 1000);
    const isDate = hasDate(item.at);
    const key = isDate ? `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}` : '?';
    const last = made.at(-1);
    if (last?.key === key) {
      last.items.push(item);
    } else {
      const title = isDate
        ? new Intl.DateTimeFormat(language, { dateStyle: 'full' }).format(date)
        : '?';
      made.push({ key, title, items: [item] });
    }
  }
  return made;
}

export function timeText(seconds: number | null, language: string): string {
  if (!hasDate(seconds)) {
    return '?';
  }
  const date = new Date((seconds ?? 0) * 1000);
  return new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(date);
}

function hasDate(seconds: number | null): boolean {
  return seconds !== null && !Number.isNaN(new Date(seconds * 1000).getTime());
}

/** Who says it, and what about: `Anna · works at`. */
export function aboutText(item: Item): string {
  const about = [item.subject, item.predicate].filter(Boolean).join(' ');
  return visible([item.role, about].filter(Boolean).join(' · '));
}

/** The parts of a scope that the memory's own does not say already. */
export function scopeText(scope: Scope, own: Scope, trans: Trans): string {
  const names: Readonly<Record<keyof Scope, string>> = {
    project: trans('project'),
    agent: trans('agent'),
    user: trans('user'),
    thread: trans('thread')
  };
  const parts = (Object.keys(names) as (keyof Scope)[]).filter(
    name => scope[name] && scope[name] !== own[name]
  );
  return visible(parts.map(name => `${names[name]} ${scope[name]}`).join(', '));
}

/** The short name of a part of a score, for beside its bar. */
export function partName(part: string, trans: Trans): string {
  const names: Readonly<Record<string, string>> = {
    words: trans('Words'),
    meaning: trans('Meaning'),
    before: trans('Said before'),
    after: trans('Said after'),
    answers: trans('Answers'),
    thread: trans('Conversation'),
    who: trans('Who'),
    date: trans('Date'),
    asks: trans('Asks'),
    importance: trans('Importance'),
    recency: trans('Recency')
  };
  return names[part] ?? part;
}

/** Why a part counts, as `memory.explain` says it, in the reader's language. */
export function reasonText(part: Part, terms: readonly string[], trans: Trans): string {
  const reasons: Readonly<Record<string, string>> = {
    meaning: trans('it is near the question in meaning'),
    before: trans('what was said just before it fits'),
    after: trans('what was said just after it fits'),
    answers: trans('it follows a question that fits, and may answer it'),
    thread: trans('its conversation fits as a whole'),
    who: trans('it was said by, or is about, somebody whom the question names'),
    date: trans('it was said at a time that the question names'),
    asks: trans('it asks something itself'),
    importance: trans('how much it matters'),
    recency: trans('how long ago it was said')
  };
  if (part.part === 'words') {
    return terms.length > 0
      ? trans('it shares words with the question: {words}', { words: visible(terms.join(', ')) })
      : trans('it names something of a kind that the question names');
  }
  return reasons[part.part] ?? part.words;
}
