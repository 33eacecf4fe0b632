/** Node types as the kernel describes them: `NodeSignature` of the Python side as JSON. */
import type { JsonObject } from './flow';

export interface Port {
  readonly name: string;
  /** `text`, `list[table]`, `model:Invoice`, ... (see `ports.ts`). */
  readonly type: string;
  readonly required: boolean;
  readonly help: string;
}

export interface NodeType {
  readonly type: string;
  readonly version: number;
  readonly category: string;
  readonly title: string;
  /** First sentence of the help. */
  readonly summary: string;
  /** Markdown. */
  readonly help: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** JSON Schema of the configuration; `x-widget` names an editor, `x-port` a port a form may fill. */
  readonly config: JsonObject;
  /** Configuration fields that an edge may feed, by name. */
  readonly config_ports: { readonly [name: string]: Port };
  /** Type of further inputs wired under any name; null: none. */
  readonly free_inputs: string | null;
  readonly free_outputs: string | null;
  readonly templates: readonly string[];
  readonly expressions: readonly string[];
  /** Fields that hold a nested flow or the path of one. */
  readonly bodies: readonly string[];
  readonly effects: 'none' | 'read' | 'write';
  /** `pack`, `file` or `cell`, and the name of the pack or file. */
  readonly source: { readonly kind: string; readonly name: string };
}

/** Node types by name. */
export type Catalog = ReadonlyMap<string, NodeType>;
