/**
 * Keeps one canvas and its kernel of one mind: node types and problems come in, edits go out, and
 * when both sides changed the flow a person decides.
 */
import type { Catalog, NodeType } from './catalog';
import type { Controller } from './controller';
import { dumpFlow, parseFlow } from './file';
import type { Flow } from './flow';
import type { Trans } from './i18n';
import { KernelError, type Hello, type KernelLink } from './link';
import { localized } from './localized';
import type { Mode, Push } from './protocol';
import { Store } from './store';

/** The kernel's side has another flow than this canvas. */
export interface Conflict {
  readonly text: string;
  readonly revision: number;
}

export interface SyncState {
  /** The kernel's mode; null before it has said hello. */
  readonly mode: Mode | null;
  /** Whether there are edits that the kernel has not taken. */
  readonly unsaved: boolean;
  readonly conflict: Conflict | null;
  /** Why the last edits were not taken, as a sentence; "": they were. */
  readonly fault: string;
  /** Why node types are missing, as sentences. */
  readonly catalogProblems: readonly string[];
}

/** What is kept of one mind with the kernel: a controller, or what several of them share. */
export type Shared = Pick<Controller, 'document' | 'catalog' | 'problems'>;

export interface SyncOptions {
  readonly controller: Shared;
  readonly link: KernelLink;
  /** Whether the kernel's text is what is edited (inline); else the host's document is. */
  readonly follows: boolean;
  /** The language of node types. */
  readonly trans: Trans;
  /** The path of the flow's file, for the kernel. */
  path(): string;
}

/** Milliseconds that edits are gathered before they are sent. */
const PAUSE = 300;

export class FlowSync {
  readonly state = new Store<SyncState>({
    mode: null,
    unsaved: false,
    conflict: null,
    fault: '',
    catalogProblems: []
  });
  private readonly ends: (() => void)[];
  /** The kernel's revision that this canvas stands on; 0: the text that it was opened with. */
  private base = 0;
  private readonly opened: string;
  /** What was sent since the last answer: the kernel may have it although it never said so. */
  private readonly unanswered = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private sending = false;
  private disposed = false;

  constructor(private readonly options: SyncOptions) {
    const { controller, link, follows } = options;
    this.opened = controller.document.text();
    this.ends = [
      link.status.subscribe(() => this.greet()),
      link.onPush(push => this.hear(push)),
      // A document's text is the host's: whoever changes it, the kernel is told.
      (follows ? controller.document.edited : controller.document.flow).subscribe(() =>
        this.edited()
      )
    ];
    this.greet();
  }

  /** Send what has not been sent yet, now. */
  async flush(): Promise<void> {
    if (this.timer) {
      clearTimeout(this.timer);
      this.timer = null;
    }
    const { unsaved, conflict } = this.state.get();
    const ready = this.options.link.status.get() === 'ready' && unsaved && !conflict;
    if (this.sending || this.disposed || !ready) {
      return;
    }
    const { link, controller } = this.options;
    this.sending = true;
    try {
      const text = controller.document.text();
      this.unanswered.add(text);
      const { revision, problems, stale } = await link.request('edit', { text, base: this.base });
      this.unanswered.clear();
      this.base = revision;
      controller.problems.set(problems);
      link.runs.setStale(stale);
      this.sending = false;
      this.settle(text);
    } catch (error) {
      this.sending = false;
      this.refused(error);
    }
  }

  /** Keep this canvas's flow and give it to the kernel. */
  async keepMine(): Promise<void> {
    const { conflict } = this.state.get();
    if (conflict) {
      this.base = conflict.revision;
      this.change({ conflict: null });
      await this.flush();
    }
  }

  /** Take the kernel's flow; this canvas's edits are given up. */
  takeTheirs(): void {
    const { conflict } = this.state.get();
    if (conflict) {
      this.take(conflict);
    }
  }

  dispose(): void {
    void this.flush();
    this.disposed = true;
    if (this.timer) {
      clearTimeout(this.timer);
    }
    this.ends.forEach(end => end());
  }

  private greet(): void {
    const { link, controller, follows, path } = this.options;
    if (link.status.get() !== 'connecting') {
      return;
    }
    const known = path();
    const told = controller.document.flow.get();
    const args = follows ? { path: known } : { path: known, text: controller.document.text() };
    link.hello(args).then(
      hello => this.welcome(hello, told),
      (error: unknown) => this.change({ fault: reason(error) })
    );
  }

  /** The kernel answers; `told` is the flow that it was told of, where the document is the host's. */
  private welcome(hello: Hello, told: Flow): void {
    if (this.disposed) {
      return;
    }
    const { controller, follows, trans } = this.options;
    controller.catalog.set(catalogOf(hello.catalog, trans));
    controller.problems.set(hello.problems);
    this.change({ mode: hello.mode, catalogProblems: hello.catalog_problems, fault: '' });
    if (!follows) {
      this.base = hello.revision;
      this.change({ unsaved: controller.document.flow.get() !== told });
      void this.flush();
      return;
    }
    if (this.state.get().unsaved) {
      if (this.base === 0 && spelled(hello.text) === spelled(this.opened)) {
        this.base = hello.revision; // edits were faster than the greeting
      }
      this.meet(hello);
    } else {
      this.take(hello);
    }
  }

  private hear(push: Push['push']): void {
    const { controller, trans } = this.options;
    if (push.catalog) {
      controller.catalog.set(catalogOf(push.catalog, trans));
    }
    if (push.problems) {
      controller.problems.set(push.problems);
    }
    if (push.catalog_problems) {
      this.change({ catalogProblems: push.catalog_problems });
    }
    if (push.flow && this.options.follows && push.flow.revision > this.base) {
      this.meet(push.flow);
    }
  }

  /** The kernel has a flow: take it, unless edits of this canvas would be lost. */
  private meet(theirs: Conflict): void {
    const { unsaved } = this.state.get();
    if (theirs.text === this.options.controller.document.text()) {
      this.base = theirs.revision;
      this.change({ unsaved: false, conflict: null, fault: '' });
    } else if (unsaved && this.unanswered.has(theirs.text)) {
      this.base = theirs.revision;
      void this.flush();
    } else if (unsaved && theirs.revision !== this.base) {
      this.change({ conflict: { text: theirs.text, revision: theirs.revision } });
    } else if (unsaved) {
      void this.flush();
    } else {
      this.take(theirs);
    }
  }

  private take({ text, revision }: Conflict): void {
    const { document } = this.options.controller;
    this.base = revision;
    if (document.text() !== text) {
      document.load(text);
    }
    this.change({ unsaved: false, conflict: null, fault: '' });
  }

  private edited(): void {
    if (this.options.controller.document.state.get().fault) {
      return;
    }
    this.change({ unsaved: true });
    if (this.timer) {
      clearTimeout(this.timer);
    }
    this.timer = setTimeout(() => void this.flush(), PAUSE);
  }

  /** What was sent was taken; what was changed meanwhile follows. */
  private settle(sent: string): void {
    const later = this.options.controller.document.text() !== sent;
    this.change({ unsaved: later, fault: '' });
    if (later && !this.timer) {
      void this.flush();
    }
  }

  private refused(error: unknown): void {
    const code = error instanceof KernelError ? error.code : '';
    if (code === 'conflict' && this.options.follows) {
      void this.fetchTheirs();
      return;
    }
    this.change({ fault: reason(error) });
    if (code === 'timeout') {
      void this.flush();
    }
  }

  private async fetchTheirs(): Promise<void> {
    const { link, path } = this.options;
    try {
      this.meet(await link.request('hello', { path: path() }));
    } catch (error) {
      this.change({ fault: reason(error) });
    }
  }

  private change(change: Partial<SyncState>): void {
    this.state.update(state => ({ ...state, ...change }));
  }
}

/** Node types by name, in the reader's language. */
export function catalogOf(types: readonly NodeType[], trans: Trans): Catalog {
  return new Map(types.map(type => [type.type, localized(type, trans)]));
}

/** A flow's text as we would write it: a file may be spelled otherwise, and say the same. */
function spelled(text: string): string {
  try {
    return dumpFlow(parseFlow(text));
  } catch {
    return text;
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
