/** The document model: what JupyterLab loads, saves and calls dirty. */
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IChangedArgs } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import type { PartialJSONValue } from '@lumino/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';
import type { FlowDocument } from '../core/document';
import { FLOW } from './names';
import { YFlow } from './yflow';

export class FlowModel implements DocumentRegistry.IModel {
  readonly defaultKernelName = '';
  readonly defaultKernelLanguage = 'python';
  readonly sharedModel: YFlow;
  readonly collaborative: boolean;
  private readonly contentSignal = new Signal<this, void>(this);
  private readonly stateSignal = new Signal<this, IChangedArgs<unknown>>(this);
  private readonly unwatch: () => void;
  private disposed = false;

  constructor(options: DocumentRegistry.IModelOptions<YFlow> = {}) {
    this.sharedModel = options.sharedModel ?? new YFlow();
    this.collaborative = options.collaborationEnabled ?? false;
    this.unwatch = this.document.flow.subscribe(() => this.contentSignal.emit());
    this.sharedModel.changed.connect((_, { stateChange = [] }) => {
      for (const { name, oldValue, newValue } of stateChange) {
        this.stateSignal.emit({ name, oldValue, newValue });
      }
    });
  }

  get document(): FlowDocument {
    return this.sharedModel.document;
  }

  get contentChanged(): ISignal<this, void> {
    return this.contentSignal;
  }

  get stateChanged(): ISignal<this, IChangedArgs<unknown>> {
    return this.stateSignal;
  }

  get dirty(): boolean {
    return this.sharedModel.dirty;
  }

  set dirty(dirty: boolean) {
    if (dirty !== this.dirty) {
      this.sharedModel.dirty = dirty;
    }
  }

  get readOnly(): boolean {
    return this.document.state.get().readOnly;
  }

  set readOnly(readOnly: boolean) {
    const before = this.readOnly;
    if (readOnly !== before) {
      this.document.setReadOnly(readOnly);
      this.stateSignal.emit({ name: 'readOnly', oldValue: before, newValue: readOnly });
    }
  }

  toString(): string {
    return this.sharedModel.getSource();
  }

  fromString(text: string): void {
    this.sharedModel.setSource(text);
  }

  toJSON(): PartialJSONValue {
    return JSON.parse(this.toString());
  }

  fromJSON(value: PartialJSONValue): void {
    this.fromString(JSON.stringify(value));
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  dispose(): void {
    if (!this.disposed) {
      this.disposed = true;
      this.unwatch();
      this.sharedModel.dispose();
      Signal.clearData(this);
    }
  }
}

export class FlowModelFactory implements DocumentRegistry.IModelFactory<FlowModel, YFlow> {
  readonly name = FLOW;
  readonly fileFormat: Contents.FileFormat = 'text';
  readonly collaborative = true;
  isDisposed = false;

  /** `contentType`: the type under which a collaboration server knows flows, or `file`. */
  constructor(readonly contentType: Contents.ContentType) {}

  createNew(options?: DocumentRegistry.IModelOptions<YFlow>): FlowModel {
    return new FlowModel(options);
  }

  preferredLanguage(): string {
    return 'python';
  }

  dispose(): void {
    this.isDisposed = true;
  }
}
