/**
 * Keeps a line joined to a kernel: through starts, restarts, lost connections and changes of the
 * kernel. A kernel that cannot be talked with is said with what keeps it from that.
 */
import type { Kernel } from '@jupyterlab/services';
import type { ISignal } from '@lumino/signaling';
import { CommTransport } from './comm';
import { absence, register, type Absent, type Unfit } from './fitness';

/** What tells that its kernel is another one, or in another state. */
export interface KernelSource {
  readonly kernelChanged: ISignal<unknown, unknown>;
  readonly statusChanged: ISignal<unknown, unknown>;
  readonly connectionStatusChanged: ISignal<unknown, unknown>;
}

interface Options {
  /** The module of the kernel whose `register()` makes it listen. */
  readonly module: string;
  /** The comm that is opened. */
  readonly target: string;
  /** The kernel now; null: there is none. */
  kernel(): Kernel.IKernelConnection | null;
  /** There is no kernel to talk with, or it is not ready yet. */
  onAbsent(why: Absent): void;
  /** The kernel is there, and cannot be talked with. */
  onUnfit(why: Unfit): void;
  /** The kernel listens; the comm is opened next. */
  onFit?(): void;
}

export class Joining {
  readonly transport = new CommTransport();
  private source: KernelSource | null = null;
  /** The kernel that was joined last; null: it has to be joined anew. */
  private joined: Kernel.IKernelConnection | null = null;
  private turn = 0;

  constructor(private readonly options: Options) {}

  /** Look at the kernel whenever this says that it changed; null: no more. */
  follow(source: KernelSource | null): void {
    this.source?.kernelChanged.disconnect(this.look, this);
    this.source?.statusChanged.disconnect(this.look, this);
    this.source?.connectionStatusChanged.disconnect(this.look, this);
    this.source = source;
    source?.kernelChanged.connect(this.look, this);
    source?.statusChanged.connect(this.look, this);
    source?.connectionStatusChanged.connect(this.look, this);
  }

  /** Join or leave, as the kernel's state asks for. */
  look(): void {
    const kernel = this.options.kernel();
    const missing = absence(kernel);
    if (!kernel || missing) {
      this.leave();
      this.options.onAbsent(missing ?? 'none');
    } else if (this.joined !== kernel) {
      this.joined = kernel;
      void this.join(kernel);
    }
  }

  /** Join again, e.g. after something was installed. */
  retry(): void {
    this.joined = null;
    this.look();
  }

  /** Let go of the kernel. */
  leave(): void {
    this.joined = null;
    this.turn += 1;
    this.transport.detach();
  }

  private async join(kernel: Kernel.IKernelConnection): Promise<void> {
    const turn = (this.turn += 1);
    const { options } = this;
    options.onAbsent('starting');
    const unfit = await register(this.transport, kernel, options.module).catch(broken);
    if (turn !== this.turn) {
      return; // it was left, or another kernel is joined
    }
    if (unfit) {
      options.onUnfit(unfit);
      return;
    }
    options.onFit?.();
    try {
      this.transport.open(options.target);
    } catch (error) {
      options.onUnfit(broken(error));
    }
  }
}

function broken(error: unknown): Unfit {
  return { kind: 'broken', error: error instanceof Error ? error.message : String(error) };
}
