/** A kernel that lives in the page: it answers every request and runs flows in no time. */
import { tableFromArrays, tableToIPC } from '@uwdata/flechette';
import { dumpFlow, parseFlow } from '../core/file';
import { EMPTY_FLOW, type Flow } from '../core/flow';
import type { RequestName, Transport } from '../core/link';
import {
  IDLE,
  NO_RUN,
  VERSION,
  type Events,
  type FlowVersion,
  type NodeState,
  type Preview,
  type Requests,
  type TimelineStep,
  type ValueView
} from '../core/protocol';
import { Store } from '../core/store';
import { TYPES } from './types';

type Listener = (message: unknown, buffers: DataView[]) => void;
type Answer = { readonly result: unknown; readonly buffers?: readonly Uint8Array[] };
type Handlers = { [K in RequestName]: (args: Requests[K]['arguments']) => Answer };

/** Rows of the table behind every table output. */
export const ROWS = 336_776;

export class PageKernel implements Transport {
  readonly closed = new Store(false);
  /** Whether outputs count as made now by this kernel. */
  trusted = true;
  /** What the timeline and the history show. */
  steps: TimelineStep[] = [];
  versions: FlowVersion[] = [];
  /** Texts of versions; others are the present one. */
  texts: Readonly<Record<string, string>> = {};
  private readonly listeners = new Set<Listener>();
  private seq = 0;
  private revision = 1;
  private text = dumpFlow(EMPTY_FLOW);
  private nodes: Record<string, NodeState> = {};
  private runs = 0;

  send(message: unknown): void {
    const { id, do: name, args } = message as { id: number; do: RequestName; args: never };
    queueMicrotask(() => this.reply(id, name, args));
  }

  onMessage(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Send numbered events to the canvas. */
  push(events: Events['events'], reset = false): void {
    this.seq += 1;
    for (const [path, delta] of events) {
      if (path) {
        this.nodes[path] = { ...(this.nodes[path] ?? IDLE), ...(delta as Partial<NodeState>) };
      }
    }
    this.tell({ v: VERSION, seq: this.seq, events, ...(reset ? { reset } : {}) });
  }

  /** Lose a number, as a dropped message would. */
  skip(): void {
    this.seq += 1;
  }

  private reply(id: number, name: RequestName, args: never): void {
    try {
      const { result, buffers = [] } = this.handlers[name](args);
      const views = buffers.map(
        bytes => new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
      );
      this.tell({ v: VERSION, reply: id, result }, views);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const fault = { code: 'failed', message, where: '', remedy: '' };
      this.tell({ v: VERSION, reply: id, error: fault });
    }
    if (name === 'snapshot') {
      this.tell({ v: VERSION, seq: this.seq, snapshot: { run: NO_RUN, nodes: this.nodes } });
    }
  }

  private tell(message: unknown, buffers: DataView[] = []): void {
    this.listeners.forEach(listener => listener(message, buffers));
  }

  private readonly handlers: Handlers = {
    here: () => ({ result: {} }),
    hello: ({ text }) => {
      this.text = text ?? this.text;
      return { result: this.greeting() };
    },
    snapshot: () => ({ result: {} }),
    edit: ({ text }) => {
      this.text = text;
      this.revision += 1;
      return { result: { revision: this.revision, problems: [], stale: [] } };
    },
    kept: () => ({ result: { version: 'a'.repeat(64) } }),
    run: ({ text }) => ({ result: { run_id: this.run(parseFlow(text)) } }),
    stop: () => {
      this.push([['', { state: 'cancelled' }]]);
      return { result: {} };
    },
    answer: () => ({ result: {} }),
    clear_cache: ({ nodes }) => ({ result: { cleared: nodes.length } }),
    value: args => value(this.nodes[args.path]?.outputs[args.port], args.offset, args.limit),
    ports: ({ path }) => ({ result: { inputs: {}, outputs: this.nodes[path]?.outputs ?? {} } }),
    pin_value: () => ({ result: { value: 'pinned' } }),
    bind: ({ path, port }) => ({ result: { name: `${path}_${port}`, code: `${path}_${port}` } }),
    logs: ({ path, offset, limit }) => {
      const lines = (this.nodes[path]?.log ?? '').split('\n');
      return { result: { lines: lines.slice(offset, offset + limit), total: lines.length } };
    },
    resolved: ({ text, path }) => ({
      result: { config: parseFlow(text).nodes[path]?.config ?? {} }
    }),
    steps: () => ({ result: { steps: this.steps, cut: false } }),
    versions: () => ({ result: { versions: this.versions } }),
    version: ({ version }) => ({ result: { text: this.texts[version] ?? this.text } }),
    diff: () => ({ result: { changes: [] } }),
    python: () => ({ result: { code: 'flow = Flow("page")', cell: '' } }),
    secrets: () => ({ result: { names: ['MAIL_PASSWORD'] } }),
    set_secret: ({ name }) => ({ result: { name } }),
    body: () => ({ result: { text: this.text } })
  };

  private greeting(): Requests['hello']['result'] {
    return {
      version: '0',
      python: '',
      mode: 'file',
      path: 'page.flow.json',
      text: this.text,
      revision: this.revision,
      catalog: [...TYPES],
      catalog_problems: [],
      problems: [],
      trusted: this.trusted
    };
  }

  private run(flow: Flow): string {
    this.runs += 1;
    const run_id = `run-${this.runs}`;
    const now = Date.now() / 1000;
    this.push([['', { ...NO_RUN, run_id, state: 'running', started_at: now }]], true);
    const nodes = Object.entries(flow.nodes);
    this.steps = nodes.map(([path, { type }], index) => ({
      path,
      node: path,
      type,
      state: 'completed',
      attempt: 1,
      source: 'executed',
      started_at: now + index * 0.01,
      ended_at: now + index * 0.01 + 0.02,
      queue_wait_s: 0.001
    }));
    this.push(nodes.map(([path, { type }]) => [path, done(type, now)]));
    this.push([['', { state: 'completed', ended_at: now + 0.1 }]]);
    return run_id;
  }
}

/** A node that has just completed, with an output of its type. */
function done(type: string, now: number): Partial<NodeState> {
  const output = TYPES.find(known => known.type === type)?.outputs[0]?.type ?? 'text';
  return {
    ...IDLE,
    state: 'completed',
    attempt: 1,
    source: 'executed',
    started_at: now,
    ended_at: now + 0.02,
    log: 'started\ndone\n',
    outputs: { out: preview(output) }
  };
}

function preview(type: string): Preview {
  if (type === 'table') {
    const columns = [
      { name: 'flight', type: 'int64' },
      { name: 'carrier', type: 'text' }
    ];
    const rows = Array.from({ length: 10 }, (_, row) => [String(row), row % 3 ? 'UA' : null]);
    return { kind: 'table', type, columns, rows, total: ROWS };
  }
  if (type === 'image') {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="60"><path d="M0 50L40 20L80 35L120 10L160 30" fill="none" stroke="teal" stroke-width="3"/></svg>';
    return { kind: 'bundle', type, bundle: { data: { 'image/svg+xml': svg } } };
  }
  if (type === 'json' || type.startsWith('list')) {
    return { kind: 'json', type, text: '{"a":[1,2,{"b":"c"}],"d":null}', cut: false };
  }
  return { kind: 'text', type, text: 'A text that a node made.\n', size: 25 };
}

/** The whole value behind a preview, from `offset`. */
function value(shown: Preview | undefined, offset: number, limit: number): Answer {
  if (!shown) {
    throw new Error('This output is not there any more. Run the node again.');
  }
  const view = (result: ValueView, buffers: readonly Uint8Array[] = []): Answer => ({
    result,
    buffers
  });
  switch (shown.kind) {
    case 'table':
      return tablePage(offset, Math.max(0, Math.min(limit, ROWS - offset)));
    case 'text': {
      const text = shown.text.slice(offset, offset + limit);
      return view({ kind: 'text', text, size: shown.text.length, offset });
    }
    case 'json':
      return view({ kind: 'json', text: shown.text, size: shown.text.length, cut: false });
    case 'bundle':
      return view({ kind: 'bundle', bundle: shown.bundle });
    case 'object':
      return view({ kind: 'object', text: shown.text });
  }
}

function tablePage(offset: number, count: number): Answer {
  const rows = Array.from({ length: count }, (_, index) => offset + index);
  const bytes = tableToIPC(
    tableFromArrays({
      flight: rows,
      carrier: rows.map(row => (row % 3 ? 'UA' : null)),
      delay: rows.map(row => (row % 100) / 4)
    }),
    { format: 'stream' }
  ) as Uint8Array;
  const columns = [
    { name: 'flight', type: 'int64' },
    { name: 'carrier', type: 'text' },
    { name: 'delay', type: 'float64' }
  ];
  return { result: { kind: 'table', columns, total: ROWS, offset, count }, buffers: [bytes] };
}
