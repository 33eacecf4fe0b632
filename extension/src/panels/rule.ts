/** A schedule's rule as the dialog edits it, and as the service takes it. */
import type { Schedule, When } from '../api/types';

export type Kind = 'cron' | 'every' | 'at' | 'on_change';

export interface Draft {
  readonly kind: Kind;
  readonly cron: string;
  /** Such as `15m`. */
  readonly every: string;
  /** Such as `2026-12-01T06:00`. */
  readonly at: string;
  /** One pattern in each line. */
  readonly files: string;
  readonly zone: string;
  readonly start: string;
  readonly end: string;
  readonly jitter: string;
}

/** Every working day at six, where the reader is. */
export function freshDraft(zone: string): Draft {
  return {
    kind: 'cron',
    cron: '0 6 * * 1-5',
    every: '1h',
    at: '',
    files: 'data/*.csv',
    zone,
    start: '',
    end: '',
    jitter: ''
  };
}

export function draftOf(schedule: Schedule): Draft {
  const { rule, zone, start, end, jitter_s: jitter } = schedule;
  const bounds = { zone, start: start ?? '', end: end ?? '', jitter: jitter ? `${jitter}s` : '' };
  const draft = { ...freshDraft(zone), ...bounds };
  switch (rule.kind) {
    case 'cron':
      return { ...draft, kind: 'cron', cron: rule.expression };
    case 'interval':
      return { ...draft, kind: 'every', every: `${rule.seconds}s` };
    case 'once':
      return { ...draft, kind: 'at', at: onTheClock(rule.at, zone) };
    case 'file':
      return { ...draft, kind: 'on_change', files: rule.patterns.join('\n') };
  }
}

/** A moment as a clock of the zone shows it, which is what a field for a time takes. */
function onTheClock(iso: string, timeZone: string): string {
  try {
    const form = new Intl.DateTimeFormat('sv', {
      timeZone,
      dateStyle: 'short',
      timeStyle: 'medium'
    });
    return form.format(Date.parse(iso)).replace(' ', 'T');
  } catch {
    return iso; // a zone that this browser does not know
  }
}

export function whenOf(draft: Draft): When {
  const { kind, zone, start, end, jitter } = draft;
  const bounds = { zone, ...given({ start, end, jitter }) };
  switch (kind) {
    case 'cron':
      return { cron: draft.cron.trim(), ...bounds };
    case 'every':
      return { every: draft.every.trim(), ...bounds };
    case 'at':
      return { at: draft.at, ...bounds };
    case 'on_change':
      return { on_change: draft.files.split('\n').map(trimmed).filter(Boolean), ...bounds };
  }
}

function given(fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const set = Object.entries(fields).map(([name, text]) => [name, text.trim()] as const);
  return Object.fromEntries(set.filter(([, text]) => text !== ''));
}

function trimmed(text: string): string {
  return text.trim();
}

/** The zone that the browser is in. */
export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}
