/** What the service says and takes, as JSON. Times are ISO 8601 in UTC. */
import type { Json, JsonObject } from '../core/flow';
import type { ErrorInfo, RunState, StepState } from '../core/protocol';

export interface Wait {
  readonly step: string;
  readonly key: string;
  readonly node: string;
  readonly kind: 'delay' | 'until' | 'approval' | 'signal' | 'webhook';
  /** The signal that ends it; "" when none does. */
  readonly name: string;
  readonly message: string;
  /** JSON Schema of the answer. */
  readonly form: JsonObject | null;
  /** When it ends by itself; null: never. */
  readonly due: string | null;
  /** When it ended; null: it is open. */
  readonly answered_at: string | null;
}

/** What the models that a run asks may take together; what is left out is not limited. */
export interface Budget {
  /** US dollars. */
  readonly cost?: number;
  readonly tokens?: number;
  /** Calls of models. */
  readonly calls?: number;
}

export interface RunSummary {
  readonly id: string;
  /** Path of the flow or notebook, or the name of an unsaved flow. */
  readonly flow: string;
  readonly version: string;
  /** Which workers may take it; one of a kernel's own begins with `kernel:`. */
  readonly queue: string;
  readonly state: RunState;
  /** Why it is in this state; "" when it needs no reason. */
  readonly reason: string;
  /** When it is or was due. */
  readonly run_at: string;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly duration_s: number | null;
  readonly cancel_requested: boolean;
  readonly retry_of: string | null;
  readonly error: ErrorInfo | null;
  readonly waits: readonly Wait[];
}

export interface Step {
  readonly step: string;
  readonly node: string;
  readonly type: string;
  readonly state: StepState;
  readonly started_at: string | null;
  readonly duration_s: number | null;
  readonly reason: string;
  readonly error: ErrorInfo | null;
}

export interface Run extends RunSummary {
  readonly budget: Budget | null;
  /** What its models took; null: it asked none. */
  readonly tokens: number | null;
  /** In US dollars; null: nothing was charged. */
  readonly cost: number | null;
  readonly inputs: JsonObject;
  readonly steps: readonly Step[];
}

export interface LogLine {
  readonly seq: number;
  readonly step: string;
  readonly text: string;
  readonly stream: string;
}

/** How a run is queued; what is left out is as usual. */
export interface QueueOptions {
  readonly queue?: string;
  /** The lowest goes first, -1000 to 1000. */
  readonly priority?: number;
  /** Longest time in which the run may be executed, in seconds. */
  readonly timeout?: number | null;
  readonly budget?: Budget | null;
}

export interface RunOptions extends QueueOptions {
  /** Not before so many seconds from now. */
  readonly delay?: number | null;
}

/** When something runs by itself: one of the first four, and the rest. */
export interface When {
  readonly cron?: string;
  /** Seconds, or text such as `15m`. */
  readonly every?: number | string;
  /** Such as `2026-12-01T06:00`, in the zone. */
  readonly at?: string;
  /** Files of the workspace, or patterns of them. */
  readonly on_change?: readonly string[];
  /** IANA name of the zone in which times of day are meant. */
  readonly zone: string;
  readonly start?: string;
  readonly end?: string;
  readonly jitter?: string | number;
}

export type Catchup = 'none' | 'latest' | 'all';
export type Overlap = 'allow' | 'skip' | 'queue' | 'cancel';

export interface NewSchedule extends QueueOptions {
  readonly target: string;
  readonly when: When;
  readonly name: string;
  readonly inputs: JsonObject;
  readonly version?: string | null;
  readonly catchup: Catchup;
  readonly overlap: Overlap;
}

type Rule =
  | { readonly kind: 'cron'; readonly expression: string }
  | { readonly kind: 'interval'; readonly seconds: number }
  | { readonly kind: 'once'; readonly at: string }
  | { readonly kind: 'file'; readonly patterns: readonly string[] };

export interface Moment {
  readonly at: string;
  /** The same in the rule's zone. */
  readonly local: string;
  /** What a change of clocks does to it. */
  readonly note: string;
}

export interface Schedule {
  readonly id: string;
  readonly name: string;
  readonly state: 'active' | 'paused' | 'ended' | 'broken';
  /** Why its moments cannot be reckoned; empty when they can. */
  readonly fault: string;
  readonly target: string;
  readonly version: string | null;
  readonly inputs: JsonObject;
  /** The rule in a few words. */
  readonly when: string;
  readonly rule: Rule;
  readonly zone: string;
  readonly start: string | null;
  readonly end: string | null;
  readonly jitter_s: number;
  readonly catchup: Catchup;
  readonly overlap: Overlap;
  readonly queue: string;
  readonly priority: number;
  readonly timeout: number | null;
  readonly budget: Budget | null;
  readonly next_due: string | null;
  /** Its last run and the state of that; null when there was none. */
  readonly last_run: string | null;
  readonly last_state: RunState | null;
  /** Its next ten moments; only of a schedule that was asked for alone. */
  readonly next?: readonly Moment[];
}

export interface Schedules {
  readonly schedules: readonly Schedule[];
  /** Which process fires them and when that one stops. */
  readonly fired_by: string;
}

export interface Preview {
  readonly next: readonly Moment[];
  readonly fired_by: string;
}

/** What may be known of a secret. */
export interface Secret {
  readonly name: string;
  readonly version: number;
  readonly created_at: string;
  readonly created_by: string;
  /** Paths of the flows that name it. */
  readonly used_in: readonly string[];
}

export interface Miss {
  readonly schedule_id: string;
  readonly name: string;
  readonly due_at: string;
  readonly message: string;
}

/** Moments of a schedule for which no run was made, noted together. */
export interface Missed {
  readonly id: string;
  readonly schedule_id: string;
  /** The schedule's name. */
  readonly name: string;
  readonly flow: string;
  readonly count: number;
  readonly first_due: string;
  readonly last_due: string;
  /** Why the last of them has no run. */
  readonly message: string;
  readonly noted_at: string;
}

export interface Answer {
  readonly step: string;
  readonly outcome: 'approved' | 'refused' | 'answered';
  readonly value?: Json;
  readonly reason?: string;
}

/** One line that a step or a cell wrote. */
export interface FoundLine {
  readonly run_id: string;
  readonly flow: string;
  readonly step: string;
  readonly seq: number;
  readonly at: string;
  readonly text: string;
}

export interface FoundLines {
  /** The newest run first. */
  readonly lines: readonly FoundLine[];
  /** Whether there are further ones. */
  readonly is_cut: boolean;
}

/** What an output notebook is made into. */
export type DocumentForm = 'html' | 'markdown' | 'pdf';

/** A value that differs between two runs; null where it is missing. */
export interface Difference {
  readonly name: string;
  readonly old: Json;
  readonly new: Json;
}

export interface FlowChange {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly what: string;
  readonly name: string;
  /** The field of a changed node; "" for the whole. */
  readonly field: string;
  readonly old: Json;
  readonly new: Json;
}

export interface StepDifference {
  readonly step: string;
  /** Its state in each run; null: there is no such step. */
  readonly old: StepState | null;
  readonly new: StepState | null;
  readonly old_s: number | null;
  readonly new_s: number | null;
  /** The output ports that hold something else. */
  readonly outputs: readonly string[];
  readonly old_error: string;
  readonly new_error: string;
}

export interface NotebookDifference {
  readonly step: string;
  /** Lines with + and -; "" when both show the same. */
  readonly text: string;
}

export interface RunDiff {
  readonly old: string;
  readonly new: string;
  readonly facts: readonly Difference[];
  readonly inputs: readonly Difference[];
  readonly definition: readonly FlowChange[];
  readonly steps: readonly StepDifference[];
  readonly notebooks: readonly NotebookDifference[];
  /** Why notebooks were not compared; "" when they were, or when there are none. */
  readonly note: string;
}

/** What keeps queued runs from beginning. */
export interface Shortage {
  readonly what: 'disk' | 'memory';
  /** Bytes that are left, and that have to be. */
  readonly free: number;
  readonly needed: number;
}

export interface System {
  /** Null: there is room. */
  readonly shortage?: Shortage | null;
}
