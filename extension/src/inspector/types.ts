/** What an inspector and the kernel say to each other. Moments are seconds since the epoch. */

export const VERSION = 1;

export type Kind = 'working' | 'episodic' | 'semantic' | 'procedural';
export const KINDS: readonly Kind[] = ['episodic', 'semantic', 'procedural', 'working'];

export type Standing = 'now' | 'later' | 'over' | 'expired' | 'forgotten';

export type Scope = Readonly<Partial<Record<'project' | 'agent' | 'user' | 'thread', string>>>;

/** One version of a memory; null is the end of an interval that has none. */
export interface Item {
  readonly n: number;
  readonly id: string;
  readonly version: number;
  /** The row of the version that it takes the place of, or 0. */
  readonly supersedes: number;
  readonly kind: Kind;
  readonly subject: string;
  readonly predicate: string;
  readonly text: string;
  /** Whether there is more of the text. */
  readonly is_cut: boolean;
  readonly value: unknown;
  readonly confidence: number;
  readonly importance: number;
  readonly tags: readonly string[];
  readonly scope: Scope;
  readonly role: string;
  readonly source: string;
  readonly at: number | null;
  readonly valid_from: number | null;
  readonly valid_to: number | null;
  readonly recorded_from: number | null;
  readonly recorded_to: number | null;
  readonly expires_at: number | null;
  /** How it stands at the moment from which it is seen. */
  readonly standing: Standing;
}

export interface Part {
  readonly part: string;
  readonly value: number;
  /** Why it counts, in English. */
  readonly words: string;
}

export interface Hit {
  readonly item: Item;
  readonly score: number;
  /** What the score is made of, the strongest first. */
  readonly parts: readonly Part[];
  readonly terms: readonly string[];
  /** The text, or a part of it, in pieces; true: a word of the question. */
  readonly pieces: readonly (readonly [text: string, found: boolean])[];
  readonly near: readonly Item[];
}

export interface Episode {
  readonly id: string;
  readonly role: string;
  readonly text: string;
  readonly is_cut: boolean;
  readonly run_id: string;
  readonly node_id: string;
  readonly at: number | null;
}

export interface Detail {
  readonly item: Item;
  /** Whether it stands, and can be changed. */
  readonly stands: boolean;
  /** The last versions, in the order of writing. */
  readonly versions: readonly Item[];
  /** How many versions there are. */
  readonly count: number;
  readonly episode: Episode | null;
}

export interface Stats {
  readonly memories: number;
  readonly versions: number;
  readonly episodes: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly vectors: Readonly<Record<string, number>>;
  readonly bytes: number;
}

export interface Totals {
  readonly stats: Stats;
  /** The process that has the file open; 0: it is on another machine. */
  readonly owner: number;
}

export interface Hello extends Totals {
  readonly place: string;
  readonly scope: Scope;
  /** The model that finds by meaning; "": none. */
  readonly embedder: string;
  readonly read_only: boolean;
  /** The moment of the past that is shown; null: the present. */
  readonly moment: number | null;
}

export interface Limits {
  readonly kinds?: readonly Kind[];
  readonly subject?: string;
  readonly tags?: readonly string[];
  readonly since?: number | null;
  readonly until?: number | null;
  readonly as_of?: number | null;
}

export interface Page {
  readonly limits: Limits;
  readonly before: readonly [at: number, n: number] | null;
  readonly limit: number;
  readonly ended: boolean;
}

export interface Changes {
  readonly text?: string;
  readonly subject?: string;
  readonly kind?: Kind;
  readonly tags?: readonly string[];
  readonly valid_from?: number;
}

interface Answers<Arguments, Result> {
  readonly arguments: Arguments;
  readonly result: Result;
}

interface One {
  readonly id: string;
  readonly as_of?: number | null;
}

/** What can be asked, by name. */
export interface Requests {
  readonly hello: Answers<object, Hello>;
  readonly stats: Answers<object, Totals>;
  readonly timeline: Answers<Page, { readonly items: readonly Item[]; readonly more: boolean }>;
  readonly search: Answers<
    { readonly text: string; readonly limits: Limits; readonly limit: number },
    { readonly hits: readonly Hit[]; readonly more: boolean }
  >;
  readonly detail: Answers<One, Detail>;
  readonly edit: Answers<
    Changes & { readonly id: string; readonly n: number },
    { readonly id: string; readonly is_new: boolean }
  >;
  readonly forget: Answers<One, { readonly stood: boolean }>;
  readonly erase: Answers<One, { readonly items: number; readonly episodes: number }>;
}

export type RequestName = keyof Requests;
