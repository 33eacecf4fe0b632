/**
 * One open canvas: its document, its kernel, its view, and the verbs that buttons, keys and the
 * command list share. No React and no Jupyter.
 */
import type { Catalog } from './catalog';
import type { FlowDocument } from './document';
import type { Edge, Flow, Json, JsonObject, Scope } from './flow';
import { missingInputs } from './inputs';
import type { ElkApi } from './layout';
import { KernelError, type KernelLink } from './link';
import type { Mode, Problem, RunMode } from './protocol';
import type { Services } from './services';
import { editPlaced, placed } from './places';
import { bodyOf, flowAt, withFlowAt } from './scope';
import { Store } from './store';

/** A quick search that is open: where a chosen type is placed, and the wire that it shall take. */
export interface QuickSearch {
  /** In flow coordinates. */
  readonly at: readonly [number, number];
  /** In pixels of the surface, for the box itself. */
  readonly screen: readonly [number, number];
  /** The port where a dangling wire starts or ends; null: none. */
  readonly wire: Wire | null;
  /** The edge that a chosen type is put into. */
  readonly edge?: Edge;
}

/** One end of a wire. */
export interface Wire {
  readonly node: string;
  readonly port: string;
  readonly side: 'input' | 'output';
}

/** Where a surface looks: the place of the flow's origin in pixels, and the scale. */
export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

/** Names a nested flow among the viewports. */
export function scopeKey(scope: Scope): string {
  return scope.flat().join('/');
}

/** A port whose whole value is looked at. */
export interface OpenValue {
  /** Path of the node. */
  readonly path: string;
  readonly kind: 'input' | 'output';
  readonly port: string;
}

export type Panel = 'palette' | 'inspector' | 'timeline' | 'history' | 'problems';

/** What this canvas shows and nobody else sees: never stored in the document. */
export interface View {
  /** The nested flow that is open; [] is the flow itself. */
  readonly scope: Scope;
  readonly selection: ReadonlySet<string>;
  /** Selected edges, by index in `flow.edges`. */
  readonly edges: ReadonlySet<number>;
  /** Open panels; the last of each side is in front. */
  readonly panels: ReadonlySet<Panel>;
  readonly quick: QuickSearch | null;
  readonly commandList: boolean;
  readonly find: boolean;
  /** The node whose title is being edited. */
  readonly renaming: string | null;
  /** A wire that is being drawn with the keyboard, from this end. */
  readonly wiring: Wire | null;
  /** A version of the history that is shown beside the present one; null: none. */
  readonly compared: { readonly version: string; readonly flow: Flow } | null;
  /** What the inspector shows whole when it shows that node; null: none. */
  readonly opened: OpenValue | null;
  /** A run that waits for values of parameters; null: none. */
  readonly asking: { readonly mode: RunMode; readonly nodes: readonly string[] } | null;
  /** A run that was refused for a secret that is not set, and the node that needs it; null: none. */
  readonly keyless: {
    readonly mode: RunMode;
    readonly nodes: readonly string[];
    readonly node: string;
    readonly secret: string;
  } | null;
  /** A message for screen readers about what just happened. */
  readonly said: string;
  /** Whether what is moved keeps to a grid. */
  readonly snap: boolean;
  readonly minimap: boolean;
}

export const FIRST_VIEW: View = {
  scope: [],
  selection: new Set(),
  edges: new Set(),
  panels: new Set(),
  quick: null,
  commandList: false,
  find: false,
  renaming: null,
  wiring: null,
  compared: null,
  opened: null,
  asking: null,
  keyless: null,
  said: '',
  snap: false,
  minimap: true
};

export interface ControllerOptions {
  readonly document: FlowDocument;
  readonly services: Services;
  /** Node types to edit with while there is no kernel. */
  readonly builtin: Catalog;
  readonly mode: Mode;
  readonly panels?: readonly Panel[];
}

export class Controller {
  readonly document: FlowDocument;
  readonly services: Services;
  readonly mode: Mode;
  readonly view: Store<View>;
  readonly catalog: Store<Catalog>;
  readonly problems = new Store<readonly Problem[]>([]);
  /** Parameter values for the next run, by name. */
  readonly inputs = new Store<JsonObject>({});
  /** The kernel; null: none, the flow can still be edited. */
  readonly link = new Store<KernelLink | null>(null);
  /** Where the surface looks or last looked, by `scopeKey`; flows that are not here are fitted in. */
  readonly viewports = new Store<ReadonlyMap<string, Viewport>>(new Map());
  /** Set by the surface: brings nodes into sight, measures them, knows the pointer. */
  surface: Surface | null = null;
  /** Set by hosts that got the focus before the surface stood: it takes the focus then. */
  focusSoon = false;
  /** Set by hosts that can load it: the layout of big flows. */
  elk: (() => Promise<ElkApi>) | null = null;

  constructor(options: ControllerOptions) {
    this.document = options.document;
    this.services = options.services;
    this.mode = options.mode;
    this.catalog = new Store(options.builtin);
    this.view = new Store({ ...FIRST_VIEW, panels: new Set(options.panels ?? []) });
  }

  /** Called by the surface while it stands; the returned function takes it away. */
  lend(surface: Surface): () => void {
    this.surface = surface;
    if (this.focusSoon) {
      this.focusSoon = false;
      surface.focus();
    }
    return () => {
      if (this.surface === surface) {
        this.surface = null;
      }
    };
  }

  /** The flow that is on the surface: the document's, or a nested one; every node has a place. */
  get flow(): Flow {
    return placed(flowAt(this.document.flow.get(), this.view.get().scope));
  }

  /** Whether nothing can be edited now: the file may not, cannot be read, or a version is compared. */
  get readOnly(): boolean {
    const { readOnly, fault } = this.document.state.get();
    return readOnly || fault !== '' || this.view.get().compared !== null;
  }

  /**
   * Edit the flow that is on the surface, as one undo step called `label`; or that of `scope`, which
   * was on it when something began that took a while.
   */
  edit(
    label: string,
    change: (flow: Flow) => Flow,
    merge?: string,
    scope = this.view.get().scope
  ): void {
    if (this.readOnly) {
      return;
    }
    const edited = (flow: Flow): Flow => editPlaced(flow, change);
    this.document.edit(label, root => withFlowAt(root, scope, edited), merge);
  }

  look(change: Partial<View>): void {
    this.view.update(view => ({ ...view, ...change }));
  }

  select(nodes: Iterable<string>, edges: Iterable<number> = []): void {
    this.look({ selection: new Set(nodes), edges: new Set(edges) });
  }

  /** Open or close a panel; one that is opened comes to the front of its side. */
  toggle(panel: Panel, shown?: boolean): void {
    const panels = new Set(this.view.get().panels);
    const open = shown ?? !panels.has(panel);
    panels.delete(panel);
    this.look({ panels: open ? panels.add(panel) : panels });
  }

  /** Select a node and show it in the inspector. */
  inspect(node: string): void {
    this.select([node]);
    this.toggle('inspector', true);
  }

  /** Show the whole value of a node's output in the inspector. */
  openOutput(node: string, port: string): void {
    this.inspect(node);
    this.look({ opened: { path: this.path(node), kind: 'output', port } });
  }

  say(text: string): void {
    // What is already there would not be read again.
    this.look({ said: text === this.view.get().said ? `${text}\u00a0` : text });
  }

  /** The path under which the kernel reports a node of the open scope: `each/clean`. */
  path(node: string): string {
    return [...this.view.get().scope.map(([id]) => id), node].join('/');
  }

  /** Show the nested flow in a field of a node; one that stands in a file opens there. */
  openBody(node: string, field: string): void {
    const body = bodyOf(this.flow.nodes[node], field);
    if (typeof body === 'string') {
      this.openFile(body);
    } else {
      this.enter([...this.view.get().scope, [node, field]]);
    }
  }

  /** Go back to an outer flow; `depth` 0 is the document's own. */
  closeBody(depth = this.view.get().scope.length - 1): void {
    const { scope } = this.view.get();
    const left = scope[Math.max(0, depth)]?.[0];
    this.enter(scope.slice(0, Math.max(0, depth)));
    this.select(left === undefined ? [] : [left]);
  }

  private enter(scope: Scope): void {
    this.look({
      scope,
      selection: new Set(),
      edges: new Set(),
      quick: null,
      wiring: null,
      renaming: null
    });
  }

  private openFile(path: string): void {
    if (this.services.openFile) {
      this.services.openFile(path);
    } else {
      this.services.notify(this.services.trans('Its body is the file {path}.', { path }), 'info');
    }
  }

  /** Run the flow, or a part of it; errors are shown, not thrown. */
  async run(mode: RunMode, nodes: readonly string[] = []): Promise<void> {
    const link = this.link.get();
    if (!link) {
      this.services.notify(this.services.trans('Choose a kernel to run the flow.'), 'warning');
      return;
    }
    if (missingInputs(this.document.flow.get(), this.inputs.get()).length > 0) {
      this.look({ asking: { mode, nodes } });
      return;
    }
    const args = { text: this.document.text(), mode, nodes: [...nodes], inputs: this.inputs.get() };
    await this.attempt(async () => {
      try {
        await link.request('run', args);
      } catch (error) {
        const lacked = lackedSecret(error);
        if (lacked === null) {
          throw error;
        }
        this.look({ keyless: { mode, nodes, ...lacked } });
      }
    });
  }

  async stop(): Promise<void> {
    await this.attempt(async () => this.link.get()?.request('stop', {}));
  }

  /** Do something that may fail; the sentence why is shown and `null` is returned. */
  async attempt<T>(action: () => Promise<T>): Promise<T | null> {
    try {
      return await action();
    } catch (error) {
      this.services.notify(error instanceof Error ? error.message : String(error), 'error');
      return null;
    }
  }

  /** Give a parameter a value for the next run. */
  setInput(name: string, value: Json | undefined): void {
    this.inputs.update(inputs => {
      const others = Object.entries(inputs).filter(([other]) => other !== name);
      return Object.fromEntries(value === undefined ? others : [...others, [name, value]]);
    });
  }
}

/** The secret that a run was refused for, and the node that needs it; null: it was another reason. */
function lackedSecret(error: unknown): { node: string; secret: string } | null {
  if (!(error instanceof KernelError) || error.code !== 'secret-unset') {
    return null;
  }
  const node = /nodes\.([^.]+)\.config$/.exec(error.where)?.[1];
  const secret = /^Secret (\S+) /.exec(error.message)?.[1];
  return node && secret ? { node, secret } : null;
}

/** What the surface lends to the verbs. */
export interface Surface {
  /** Bring these nodes into sight; all when empty. */
  reveal(nodes: readonly string[]): void;
  /** Move the view no further than it takes to see all, or the end, of what is seen in part. */
  show(element: Element): void;
  /** The middle of what is in sight, in flow coordinates. */
  center(): readonly [number, number];
  /** The pointer in flow coordinates, or the middle when it is elsewhere. */
  pointer(): readonly [number, number];
  /** Where a point of the flow is, in pixels of the surface. */
  toScreen(point: readonly [number, number]): readonly [number, number];
  /** Measured sizes of nodes, in pixels. */
  sizes(): ReadonlyMap<string, readonly [width: number, height: number]>;
  /** Put the keyboard's focus on a node, or on the surface itself. */
  focus(node?: string): void;
  /** Give the focus back to what had it last on the surface, without moving the view. */
  back(): void;
  zoom(factor: number): void;
}
