/** The shared model of a flow: a `FlowDocument` as Jupyter's documents see it. */
import { YDocument, type DocumentChange } from '@jupyter/ydoc';
import { FlowDocument } from '../core/document';

export class YFlow extends YDocument<DocumentChange> {
  readonly version = '1.0.0';
  readonly document: FlowDocument;

  constructor() {
    super();
    this.document = new FlowDocument({ ydoc: this.ydoc });
    this.document.edited.subscribe(() => {
      this.dirty = true;
    });
  }

  override getSource(): string {
    return this.document.text();
  }

  override setSource(source: string): void {
    this.document.load(source);
  }

  override canUndo(): boolean {
    return this.document.state.get().canUndo;
  }

  override canRedo(): boolean {
    return this.document.state.get().canRedo;
  }

  override undo(): boolean {
    const possible = this.canUndo();
    this.document.undo();
    return possible;
  }

  override redo(): boolean {
    const possible = this.canRedo();
    this.document.redo();
    return possible;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.document.dispose();
      super.dispose();
    }
  }
}
