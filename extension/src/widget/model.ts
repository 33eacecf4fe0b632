/** The part of anywidget's front end that the canvas uses. */
import { Store } from '../core/store';
import type { Transport } from '../core/link';

export interface WidgetModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- events differ in what they say
  on(event: string, listener: (...told: any[]) => void): void;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
  off(event: string, listener?: ((...told: any[]) => void) | null): void;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  readonly widget_manager?: unknown;
}

/** Custom messages of a widget. */
export class ModelTransport implements Transport {
  readonly closed = new Store(false);
  private readonly lost = (): void => this.closed.set(true);

  constructor(private readonly model: WidgetModel) {
    // The kernel was restarted or shut down: the widget stays on the page without its other half.
    model.on('comm_live_update', this.lost);
    model.on('comm:close', this.lost);
  }

  send(message: unknown, buffers?: ArrayBuffer[]): void {
    this.model.send(message, undefined, buffers);
  }

  onMessage(listener: (message: unknown, buffers: DataView[]) => void): () => void {
    const hear = (message: unknown, buffers?: readonly (DataView | ArrayBuffer)[]): void =>
      listener(message, (buffers ?? []).map(viewOf));
    this.model.on('msg:custom', hear);
    return () => this.model.off('msg:custom', hear);
  }

  dispose(): void {
    this.model.off('comm_live_update', this.lost);
    this.model.off('comm:close', this.lost);
  }
}

function viewOf(buffer: DataView | ArrayBuffer): DataView {
  return buffer instanceof ArrayBuffer ? new DataView(buffer) : buffer;
}

/** A trait that is text; "" when it is not there. */
export function textOf(model: WidgetModel, name: string): string {
  const value = model.get(name);
  return typeof value === 'string' ? value : '';
}
