/**
 * What the canvas and the kernel say to each other over a comm. The Python side is
 * `iaiflow_lab/canvas/`. Every message has `v`; a message with another `v` is answered by naming the
 * version that is needed.
 *
 * Kernel to canvas, at most 30 a second for the whole kernel: `Events` (coalesced deltas), numbered
 * without gaps; when `seq` skips a number the canvas asks for a `snapshot`, whose `seq` is the number
 * of the last `Events` that it contains. Replies carry the `id` of their request. Canvas to kernel:
 * requests `{v, id, do, args}`.
 */
import type { Json, JsonObject } from './flow';
import type { NodeType } from './catalog';

export const VERSION = 1;
/** Comm target that document canvases open. Inline canvases use their widget's custom messages. */
export const COMM_TARGET = 'iaiflow.canvas';

export type RunState =
  | 'draft'
  | 'queued'
  | 'claimed'
  | 'running'
  | 'waiting'
  | 'retrying'
  | 'completed'
  | 'failed'
  | 'cancelled';
export type StepState =
  'pending' | 'running' | 'retrying' | 'waiting' | 'completed' | 'failed' | 'skipped' | 'cancelled';

/** What a step waits for. */
export interface Wait {
  /** The step: items and nested nodes with their whole path. */
  readonly step: string;
  /** Tells it from other waits of the step. */
  readonly key: string;
  readonly kind: 'delay' | 'until' | 'approval' | 'signal' | 'webhook';
  /** The signal that ends it; "": none does. */
  readonly name: string;
  /** What is asked. */
  readonly message: string;
  /** JSON Schema of the answer. */
  readonly form: JsonObject | null;
  /** When it ends by itself, in seconds since the Unix epoch; null: never. */
  readonly due: number | null;
}

export interface ErrorInfo {
  readonly code: string;
  readonly message: string;
  /** The step that failed, items and nested nodes with their whole path; none: the run itself. */
  readonly step?: string;
  /** The user's own traceback lines. */
  readonly trace?: string;
}

/** A MIME bundle as Jupyter writes it. */
export interface Bundle {
  readonly data: JsonObject;
  readonly metadata?: JsonObject;
}

/** A short form of one output value, for the node's face; at most 64 KB each. */
export type Preview =
  | { readonly kind: 'text'; readonly type: string; readonly text: string; readonly size: number }
  | { readonly kind: 'json'; readonly type: string; readonly text: string; readonly cut: boolean }
  | {
      readonly kind: 'table';
      readonly type: string;
      readonly columns: readonly { readonly name: string; readonly type: string }[];
      /** The first rows as text, cell by cell; null is a missing value. */
      readonly rows: readonly (readonly (string | null)[])[];
      /** All rows; null: not known without computing it (lazy). */
      readonly total: number | null;
    }
  | { readonly kind: 'bundle'; readonly type: string; readonly bundle: Bundle }
  /** Too big for the face, or only a live object: `text` says what it is. */
  | {
      readonly kind: 'object';
      readonly type: string;
      readonly text: string;
      readonly size?: number;
    };

/** What is known of one node of the present run. Paths: `fetch`, `each/clean` (items share one). */
export interface NodeState {
  readonly state: StepState;
  /** Seconds since the Unix epoch. */
  readonly started_at: number | null;
  readonly ended_at: number | null;
  /** Calls so far; 0 before the first. */
  readonly attempt: number;
  /** From 0 to 1; null: it did not say. */
  readonly share: number | null;
  /** The last thing it said: a log line, progress text, reason of a skip. */
  readonly text: string;
  /** `executed`, `cache`, `pin`, `replay` or `earlier` (kept from an earlier run). */
  readonly source: string;
  readonly rows: number | null;
  /** Items of a map, or steps that share this line; null for a plain node. */
  readonly items: {
    readonly total: number;
    readonly done: number;
    readonly failed: number;
    readonly running: number;
  } | null;
  /** Whether code, configuration or inputs changed since its outputs were made. */
  readonly stale: boolean;
  /** What it waits for, or the first of its items that waits. */
  readonly wait: Wait | null;
  /** What it waits for besides; the first few. */
  readonly more_waits: readonly Wait[];
  readonly error: ErrorInfo | null;
  /** Tail of what it wrote, at most 2,000 lines; a delta's `log_append` is added to it. */
  readonly log: string;
  /** Short forms of its outputs by port; complete in every delta that has it. */
  readonly outputs: { readonly [port: string]: Preview };
  /** What it showed with `display()`: the newest 200; a delta's `display_append` is added. */
  readonly displays: readonly Bundle[];
}

export const IDLE: NodeState = {
  state: 'pending',
  started_at: null,
  ended_at: null,
  attempt: 0,
  share: null,
  text: '',
  source: '',
  rows: null,
  items: null,
  stale: false,
  wait: null,
  more_waits: [],
  error: null,
  log: '',
  outputs: {},
  displays: []
};

/** Changed fields of a node. */
export type NodeDelta = Partial<NodeState> & {
  readonly log_append?: string;
  readonly display_append?: readonly Bundle[];
};

/** The run as a whole; its deltas come under the empty path "". */
export interface RunInfo {
  readonly run_id: string;
  readonly state: RunState | null;
  readonly reason: string;
  readonly error: ErrorInfo | null;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  /** What is waited for while it is being cancelled; "" otherwise. */
  readonly note: string;
}

export const NO_RUN: RunInfo = {
  run_id: '',
  state: null,
  reason: '',
  error: null,
  started_at: null,
  ended_at: null,
  note: ''
};

export interface Events {
  readonly v: number;
  readonly seq: number;
  /** [path, delta]; the path "" is the run itself (`Partial<RunInfo>`). `reset: true` comes first when a new run starts: all nodes go back to IDLE but keep `stale` and the outputs of earlier runs until replaced. */
  readonly events: readonly (readonly [path: string, delta: NodeDelta | Partial<RunInfo>])[];
  readonly reset?: boolean;
}

export interface Snapshot {
  readonly v: number;
  readonly seq: number;
  readonly snapshot: {
    readonly run: RunInfo;
    /** Where all of it is too much for one message, the rest follows as `Events`. */
    readonly nodes: { readonly [path: string]: Partial<NodeState> };
  };
}

/** A rule's finding, with the codes of `iaiflow validate`. */
export interface Problem {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** `nodes.clean.text`, `nodes.each.body.nodes.x.config.y`, `edges[3]`, "" for the whole flow. */
  readonly place: string;
  readonly remedy: string;
  /** The outermost node that it belongs to, or "". */
  readonly node: string;
  /** Port or configuration field of that node, or "". */
  readonly field: string;
}

/** Pushed without being asked for; each field that is there has changed. */
export interface Push {
  readonly v: number;
  readonly push: {
    readonly catalog?: readonly NodeType[];
    /** Why node types are missing: broken files or packs. */
    readonly catalog_problems?: readonly string[];
    /** The kernel's side of the flow changed (another canvas, or a cell). */
    readonly flow?: { readonly text: string; readonly revision: number };
    readonly problems?: readonly Problem[];
  };
}

export interface Reply {
  readonly v: number;
  readonly reply: number;
  readonly result?: Json;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly where: string;
    readonly remedy: string;
  };
}

export type KernelMessage = Events | Snapshot | Push | Reply;

/** How much of the flow runs. */
export type RunMode = 'all' | 'until' | 'from' | 'only' | 'retry' | 'fresh';

/** `file`: edits are saved to it. `code`: edits are offered as a patch. `document`: the host saves. */
export type Mode = 'file' | 'code' | 'document';

/** Requests: arguments and results by name. Binary results come as the message's buffers. */
export interface Requests {
  hello: {
    /**
     * `client` tells this canvas from others through reloads of its page (kept in the page's
     * session storage): the kernel then forgets the one that the reload left behind.
     */
    arguments: { path?: string; text?: string; client?: string };
    result: {
      version: string;
      python: string;
      mode: Mode;
      path: string;
      text: string;
      revision: number;
      /** Mode `code`: whether there are edits that the cell's code does not have. */
      ahead?: boolean;
      /** Mode `code`: whether such edits outlive the kernel. */
      kept?: boolean;
      catalog: NodeType[];
      catalog_problems: string[];
      problems: Problem[];
      /** Whether this kernel has run nothing from a flow that nobody trusts. */
      trusted: boolean;
    };
  };
  /** Says that the page is there; who is silent for long gets its turn only now and then. */
  here: { arguments: Record<string, never>; result: Record<string, never> };
  /** The kernel answers with a `Snapshot` message after the reply. */
  snapshot: { arguments: Record<string, never>; result: Record<string, never> };
  /** The canvas changed the flow. Mode `file` writes it. `base` is the last revision it knew. */
  edit: {
    arguments: { text: string; base: number };
    result: { revision: number; problems: Problem[]; stale: string[] };
  };
  /** The document was saved by its host: keep this version in the history. */
  kept: { arguments: { path: string; text: string }; result: { version: string } };
  run: {
    arguments: { text: string; mode: RunMode; nodes: string[]; inputs: JsonObject };
    result: { run_id: string };
  };
  stop: { arguments: Record<string, never>; result: Record<string, never> };
  /**
   * Answers a step that waits; `answered` for signals and webhooks. Of a step that waits for several
   * things it is the first one, or `STEP#KEY`.
   */
  answer: {
    arguments: {
      step: string;
      outcome: 'approved' | 'refused' | 'answered';
      value: Json;
      reason: string;
    };
    result: Record<string, never>;
  };
  clear_cache: { arguments: { nodes: string[] }; result: { cleared: number } };
  /** A value to look at. `port` "" with kind `input`: all inputs by name. */
  value: { arguments: ValueArguments; result: ValueView };
  /** All inputs and outputs that can be looked at, for the inspector. */
  ports: {
    arguments: { path: string };
    result: { inputs: { [port: string]: Preview }; outputs: { [port: string]: Preview } };
  };
  /** An output as JSON, to pin it. */
  pin_value: { arguments: { path: string; port: string }; result: { value: Json } };
  /** Bind the live object to a variable of the notebook; `code` is what a new cell shows. */
  bind: { arguments: { path: string; port: string }; result: { name: string; code: string } };
  logs: {
    arguments: { path: string; offset: number; limit: number };
    result: { lines: string[]; total: number };
  };
  /** The configuration as the node gets it: defaults and parameters filled in. */
  resolved: { arguments: { text: string; path: string }; result: { config: JsonObject } };
  /** Every step of the run, items included, for the timeline; at most 5,000. */
  steps: { arguments: Record<string, never>; result: { steps: TimelineStep[]; cut: boolean } };
  versions: { arguments: Record<string, never>; result: { versions: FlowVersion[] } };
  version: { arguments: { version: string }; result: { text: string } };
  /** What changed in meaning from a version to the given text. */
  diff: { arguments: { from: string; text: string }; result: { changes: FlowChange[] } };
  /** The flow as Python. In mode `code`: the patch for the cell that built it. */
  python: { arguments: { text: string }; result: { code: string; cell: string } };
  /** Names only. */
  secrets: { arguments: Record<string, never>; result: { names: string[] } };
  /** Keep a secret of the workspace; nobody gets its value back. */
  set_secret: { arguments: { name: string; value: string }; result: { name: string } };
  /** The text of a nested flow that stands in a file of its own. */
  body: { arguments: { path: string }; result: { text: string } };
}

export interface ValueArguments {
  path: string;
  kind: 'input' | 'output';
  port: string;
  /** First row, for tables. */
  offset: number;
  /** Rows (tables) or characters (text). */
  limit: number;
}

export type ValueView =
  /** The buffer is an Arrow IPC stream of the asked rows. */
  | {
      kind: 'table';
      columns: { name: string; type: string }[];
      total: number | null;
      offset: number;
      count: number;
    }
  | { kind: 'text'; text: string; size: number; offset: number }
  | { kind: 'json'; text: string; size: number; cut: boolean }
  /** The buffer is the file's bytes. */
  | { kind: 'image'; media_type: string; size: number }
  | { kind: 'bundle'; bundle: Bundle }
  | { kind: 'object'; text: string };

export interface TimelineStep {
  path: string;
  node: string;
  type: string;
  state: StepState;
  attempt: number;
  source: string;
  started_at: number | null;
  ended_at: number | null;
  queue_wait_s: number;
}

export interface FlowVersion {
  version: string;
  saved_at: number;
  note: string;
  current: boolean;
}

export interface FlowChange {
  kind: 'added' | 'removed' | 'changed';
  what: string;
  name: string;
  field: string;
  old: Json;
  new: Json;
  text: string;
}
