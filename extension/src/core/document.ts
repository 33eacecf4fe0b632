/** The document that a canvas edits: a flow that may be shared with others, with undo. */
import * as Y from 'yjs';
import { dumpFlow, FlowFileError, parseFlow } from './file';
import { EMPTY_FLOW, type Flow } from './flow';
import { SharedFlow } from './shared';
import { Store } from './store';

export interface DocumentState {
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** What would be undone or redone; "" when nothing. */
  readonly undoLabel: string;
  readonly redoLabel: string;
  readonly readOnly: boolean;
  /** Why the file cannot be read, as a sentence; "": it can. */
  readonly fault: string;
  /** Rises with every change of the flow. */
  readonly revision: number;
}

export interface DocumentOptions {
  /** A document that is shared with others; default: one of its own. */
  readonly ydoc?: Y.Doc;
  readonly readOnly?: boolean;
}

/** Called after a change that was made here, with its label. */
export type EditListener = (label: string) => void;

/** Edits with one `merge` key are one step while they follow each other within this time, in ms. */
const MERGE_TIME = 500;
const LABEL = 'label';

export class FlowDocument {
  readonly ydoc: Y.Doc;
  /** The flow as it is now; empty while the file cannot be read. */
  readonly flow: Store<Flow>;
  readonly state: Store<DocumentState>;
  private readonly shared: SharedFlow;
  private readonly history: Y.UndoManager;
  private readonly listeners = new Set<EditListener>();
  /** The last edit that the next one may be merged with. */
  private last: { readonly merge: string; readonly time: number } | null = null;
  /** The file's own text, and what we would write for it. */
  private origin = { source: '', ours: '' };
  private written: { readonly flow: Flow; readonly text: string } | null = null;

  constructor(options: DocumentOptions = {}) {
    this.ydoc = options.ydoc ?? new Y.Doc();
    this.shared = new SharedFlow(this.ydoc);
    this.history = new Y.UndoManager(this.shared.parts, {
      trackedOrigins: new Set([this]),
      captureTimeout: Infinity // `edit` says where a step ends
    });
    this.flow = new Store<Flow>(EMPTY_FLOW);
    this.state = new Store<DocumentState>({
      canUndo: false,
      canRedo: false,
      undoLabel: '',
      redoLabel: '',
      readOnly: options.readOnly ?? false,
      fault: '',
      revision: 0
    });
    this.ydoc.on('afterTransaction', this.refresh);
    this.refresh();
  }

  /** Watch edits, undo and redo that are made here. */
  readonly edited = {
    subscribe: (listener: EditListener): (() => void) => {
      this.listeners.add(listener);
      return () => this.listeners.delete(listener);
    }
  };

  /**
   * Take over what a file says now. Only differences are written, and they are no undo step. A text
   * that cannot be read is kept untouched: `state.fault` says why, and nothing can be edited. An
   * empty one is a new flow.
   */
  load(text: string): void {
    const { flow, ours } = readText(text);
    const source = ours === text ? '' : text;
    const writes = this.shared.changes(this.flow.get(), flow ?? EMPTY_FLOW);
    this.ydoc.transact(() => {
      writes.forEach(write => write());
      if (this.shared.source !== source) {
        this.shared.source = source;
      }
    }, 'load');
  }

  /**
   * The text to save: the file's own while it says the same, or while it cannot be read.
   *
   * @throws FlowFileError The flow has become too large for a file.
   */
  text(): string {
    if (this.state.get().fault && this.origin.source) {
      return this.origin.source;
    }
    const flow = this.flow.get();
    if (this.written?.flow !== flow) {
      this.written = { flow, text: dumpFlow(flow) };
    }
    const { text } = this.written;
    return text === this.origin.ours ? this.origin.source : text;
  }

  /**
   * Change the flow as one undo step; what changes nothing is no step.
   *
   * @param label What the step is called: `Move nodes`.
   * @param merge Edits with the same key within 500 ms become one step.
   * @throws FlowFileError The changed flow could not stand in a file; nothing has been changed.
   */
  edit(label: string, change: (flow: Flow) => Flow, merge?: string): void {
    if (!this.isEditable) {
      return;
    }
    const before = this.flow.get();
    const writes = this.shared.changes(before, change(before));
    if (!writes.length) {
      return;
    }
    const now = Date.now();
    if (!this.last || merge !== this.last.merge || now - this.last.time >= MERGE_TIME) {
      this.history.stopCapturing();
    }
    this.last = merge === undefined ? null : { merge, time: now };
    this.ydoc.transact(() => writes.forEach(write => write()), this);
    const step = this.history.undoStack.at(-1);
    if (step && !step.meta.has(LABEL)) {
      step.meta.set(LABEL, label);
    }
    this.finish(label);
  }

  undo(): void {
    if (this.isEditable) {
      this.restore(this.history.undo(), this.history.redoStack);
    }
  }

  redo(): void {
    if (this.isEditable) {
      this.restore(this.history.redo(), this.history.undoStack);
    }
  }

  setReadOnly(readOnly: boolean): void {
    this.state.update(state => (state.readOnly === readOnly ? state : { ...state, readOnly }));
  }

  dispose(): void {
    this.ydoc.off('afterTransaction', this.refresh);
    this.history.destroy();
    this.shared.dispose();
    this.listeners.clear();
  }

  private get isEditable(): boolean {
    const { readOnly, fault } = this.state.get();
    return !readOnly && !fault;
  }

  /** After undo or redo: the step that leads back has the same label. */
  private restore(step: StackItem | null, opposite: readonly StackItem[]): void {
    this.last = null;
    this.history.stopCapturing();
    if (!step) {
      this.refreshHistory();
      return;
    }
    const label = labelOf(step);
    opposite.at(-1)?.meta.set(LABEL, label);
    this.finish(label);
  }

  private finish(label: string): void {
    this.refreshHistory();
    for (const listener of [...this.listeners]) {
      listener(label);
    }
  }

  /** Take over what has changed in the shared document, whoever changed it. */
  private readonly refresh = (): void => {
    if (!this.shared.changed) {
      return;
    }
    const before = this.flow.get();
    const { flow, fault } = this.readShared(before);
    this.flow.set(flow);
    this.state.update(state => ({
      ...state,
      ...this.steps(),
      fault,
      revision: state.revision + 1
    }));
  };

  private readShared(before: Flow): { flow: Flow; fault: string } {
    const { source } = this.shared;
    const file = source && source !== this.origin.source ? readText(source) : null;
    if (file || !source) {
      this.origin = { source, ours: file?.ours ?? '' };
    }
    if (source && !this.origin.ours) {
      return { flow: EMPTY_FLOW, fault: file?.fault ?? this.state.get().fault };
    }
    try {
      return { flow: this.shared.read(before), fault: '' };
    } catch (error) {
      return { flow: before, fault: sentenceOf(error) };
    }
  }

  private refreshHistory(): void {
    this.state.update(state => ({ ...state, ...this.steps() }));
  }

  private steps(): Pick<DocumentState, 'canUndo' | 'canRedo' | 'undoLabel' | 'redoLabel'> {
    const { undoStack, redoStack } = this.history;
    return {
      canUndo: undoStack.length > 0,
      canRedo: redoStack.length > 0,
      undoLabel: labelOf(undoStack.at(-1)),
      redoLabel: labelOf(redoStack.at(-1))
    };
  }
}

type StackItem = Y.UndoManager['undoStack'][number];

/** What a file's text says and how we would write it, or why it cannot be read. */
interface Reading {
  readonly flow: Flow | null;
  readonly ours: string;
  readonly fault: string;
}

function readText(text: string): Reading {
  try {
    const flow = parseFlow(text);
    return { flow, ours: dumpFlow(flow), fault: '' };
  } catch (error) {
    return { flow: null, ours: '', fault: sentenceOf(error) };
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof FlowFileError) {
    return error.sentence;
  }
  throw error;
}

function labelOf(step: StackItem | undefined): string {
  return (step?.meta.get(LABEL) as string | undefined) ?? '';
}
