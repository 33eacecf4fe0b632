/**
 * A flow as the canvas holds it: immutable plain data in the shape of the file. Every edit is a pure
 * function from one `Flow` to the next (see `edits/`); unchanged parts keep their identity.
 */

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** When and how often a failed node is called again; absent fields have the engine's defaults. */
export interface Retry {
  readonly attempts?: number;
  readonly backoff?: 'constant' | 'exponential' | 'random';
  readonly initial?: number;
  readonly max?: number;
  readonly jitter?: number;
  readonly on?: readonly string[];
}

/** One step of a flow. Absent fields have the engine's defaults. */
export interface FlowNode {
  /** The node type's name in the catalog. */
  readonly type: string;
  readonly version?: number;
  /** What people call it; not part of its meaning. */
  readonly title?: string;
  readonly config?: JsonObject;
  readonly retry?: Retry;
  /** Longest time for one call, in seconds. */
  readonly timeout?: number;
  readonly cache?: 'auto' | 'off' | number;
  readonly on_error?: 'fail' | 'continue' | 'port';
  readonly join?: 'all' | 'any' | 'all_done';
  readonly skip_if?: string;
  readonly concurrency?: number;
  /** Output values by port that stand in for a call in interactive runs. */
  readonly pin?: JsonObject;
}

/** A connection: `source` is a node's id or `params`. */
export interface Edge {
  readonly source: string;
  readonly sourcePort: string;
  readonly target: string;
  readonly targetPort: string;
}

/** A Markdown note on the canvas. Size in pixels. */
export interface Note {
  readonly id: string;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly color?: string;
}

/** A named group of nodes; it is drawn around them. */
export interface Group {
  readonly id: string;
  readonly title: string;
  readonly nodes: readonly string[];
  readonly color?: string;
}

export interface Flow {
  readonly name: string;
  /** JSON Schema of each parameter, by name. */
  readonly parameters: { readonly [name: string]: JsonObject };
  readonly nodes: { readonly [id: string]: FlowNode };
  /** In order: several into one list port arrive in this order. */
  readonly edges: readonly Edge[];
  /** What the flow returns, by name, as `node.port`; absent: every node without successors. */
  readonly outputs?: { readonly [name: string]: string };
  /** Canvas position by node id, in pixels: [x, y] of the upper left corner. */
  readonly layout: { readonly [id: string]: readonly [number, number] };
  readonly notes: readonly Note[];
  readonly groups: readonly Group[];
  readonly $schema?: string;
}

export const FORMAT = 'iaiflow/1';
/** As an edge's source, this stands for the flow's parameters. */
export const PARAMS = 'params';
/** The name of a node's only output. */
export const OUT = 'out';
/** The output that exists when `on_error` is "port". */
export const ERROR = 'error';

export const EMPTY_FLOW: Flow = {
  name: '',
  parameters: {},
  nodes: {},
  edges: [],
  layout: {},
  notes: [],
  groups: []
};

/** Where a nested flow stands: pairs of a node's id and the field that holds its body. */
export type Scope = readonly (readonly [node: string, field: string])[];
