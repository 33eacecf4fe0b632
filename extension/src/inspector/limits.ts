/** What a person limits the lists to: as the fields have it, and as the kernel takes it. */
import type { Kind, Limits } from './types';

/** Fields; days as `2026-11-23`, the moment as `2026-11-23T14:05`, in the reader's own time. */
export interface Fields {
  readonly kind: Kind | '';
  readonly subject: string;
  /** Labels, between commas. */
  readonly tags: string;
  readonly since: string;
  readonly until: string;
  readonly asOf: string;
}

export const NO_LIMITS: Fields = {
  kind: '',
  subject: '',
  tags: '',
  since: '',
  until: '',
  asOf: ''
};

export function limitsOf(fields: Fields): Limits {
  return {
    kinds: fields.kind ? [fields.kind] : [],
    subject: fields.subject.trim(),
    tags: tagsOf(fields.tags),
    since: dayStart(fields.since, 0),
    until: dayStart(fields.until, 1),
    as_of: momentOf(fields.asOf)
  };
}

/** How many fields say something. */
export function countOf(fields: Fields): number {
  return Object.values(fields).filter(value => value.trim() !== '').length;
}

export function tagsOf(text: string): string[] {
  const tags = text.split(',').map(tag => tag.trim());
  return [...new Set(tags.filter(Boolean))];
}

/** The moment that a field of date and time names, in seconds; null: none. */
export function momentOf(text: string): number | null {
  const at = text ? new Date(text).getTime() : NaN;
  return Number.isNaN(at) ? null : at / 1000;
}

/** A moment as a field of date and time takes it. */
export function fieldOf(seconds: number | null): string {
  const date = new Date((seconds ?? NaN) * 1000);
  if (Number.isNaN(date.getTime()) || date.getFullYear() < 1 || date.getFullYear() > 9999) {
    return '';
  }
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}

/** Where a day begins, or one of the next days. */
function dayStart(text: string, later: number): number | null {
  const [year, month, day] = text.split('-').map(Number);
  if (!year || !month || !day) {
    return null;
  }
  return new Date(year, month - 1, day + later).getTime() / 1000;
}
