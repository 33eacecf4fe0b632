/** What all views of one widget share: the document, the line to the kernel, the run's state. */
import types from '../core/builtin.json';
import type { Catalog, NodeType } from '../core/catalog';
import { FlowDocument } from '../core/document';
import { translator } from '../core/i18n';
import { KernelLink } from '../core/link';
import type { Problem } from '../core/protocol';
import { Store } from '../core/store';
import { catalogOf, FlowSync } from '../core/sync';
import { ModelTransport, textOf, type WidgetModel } from './model';

export class WidgetSession {
  readonly document = new FlowDocument();
  readonly catalog: Store<Catalog>;
  readonly problems = new Store<readonly Problem[]>([]);
  readonly link: KernelLink;
  readonly sync: FlowSync;
  private readonly transport: ModelTransport;
  private readonly ends: (() => void)[];
  private edited = false;

  constructor(model: WidgetModel) {
    this.document.load(textOf(model, 'text'));
    this.transport = new ModelTransport(model);
    const trans = translator(document.documentElement.lang || navigator.language);
    this.catalog = new Store(catalogOf(types as unknown as readonly NodeType[], trans));
    this.link = new KernelLink(this.transport, { trans });
    const path = (): string => textOf(model, 'path');
    this.ends = [
      this.link.status.subscribe(() => this.follow()),
      this.document.edited.subscribe(() => (this.edited = true))
    ];
    this.sync = new FlowSync({ controller: this, link: this.link, follows: true, trans, path });
  }

  /** Whether there are edits that nothing but the kernel and this page has. */
  get isOnlyCopy(): boolean {
    const info = this.link.info.get();
    return info?.kept === false && (this.edited || info.ahead === true);
  }

  /** Edits live in the kernel: without it they would be lost, so that none can be made. */
  private follow(): void {
    const status = this.link.status.get();
    this.document.setReadOnly(status === 'lost' || status === 'outdated');
  }

  dispose(): void {
    this.ends.forEach(end => end());
    this.sync.dispose();
    this.link.dispose();
    this.transport.dispose();
    this.document.dispose();
  }
}

/**
 * Sessions by something that only one widget has: its layout. Hosts without layouts have one view of
 * a widget at a time.
 */
const sessions = new WeakMap<object, WidgetSession>();

function identity(model: WidgetModel): object | null {
  const layout = model.get('layout');
  return typeof layout === 'object' && layout !== null ? layout : null;
}

/** Open the session of a widget, to be ended with it. */
export function openSession(model: WidgetModel): () => void {
  const key = identity(model);
  if (!key) {
    return () => undefined;
  }
  const session = new WidgetSession(model);
  sessions.set(key, session);
  return () => {
    sessions.delete(key);
    session.dispose();
  };
}

/** The session for one view, and what to do when the view is removed. */
export function sessionFor(model: WidgetModel): { session: WidgetSession; release: () => void } {
  const key = identity(model);
  const shared = key && sessions.get(key);
  if (shared) {
    return { session: shared, release: () => undefined };
  }
  const session = new WidgetSession(model);
  return { session, release: () => session.dispose() };
}
