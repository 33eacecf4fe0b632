/**
 * The line to the kernel that a document's canvas speaks over. It is a comm made of plain kernel
 * messages: a connection whose kernel is open in a notebook too leaves comm objects to the notebook.
 * Where the kernel has subshells the line uses one, so that it answers while a cell runs.
 */
import { KernelMessage, type Kernel } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';
import type { Transport } from '../core/link';
import { COMM_TARGET } from '../core/protocol';
import { Store } from '../core/store';

type Listener = (message: unknown, buffers: DataView[]) => void;
/** What a kernel said about each expression: its `repr`, or an error. */
export type Answers = Readonly<Record<string, { value: string } | { error: string; name: string }>>;

export class CommTransport implements Transport {
  readonly closed = new Store(true);
  private kernel: Kernel.IKernelConnection | null = null;
  private subshell: string | null = null;
  private id = '';
  /** Whether the comm was opened here. */
  private isOwn = false;
  private readonly listeners = new Set<Listener>();

  /** Prepare to talk with this kernel; `open` begins. */
  async attach(kernel: Kernel.IKernelConnection): Promise<void> {
    this.detach();
    this.kernel = kernel;
    kernel.iopubMessage.connect(this.receive, this);
    if (kernel.supportsSubshells) {
      const reply = await kernel.requestCreateSubshell({}).done;
      this.subshell = this.kernel === kernel ? (reply.content.subshell_id ?? null) : null;
    }
  }

  /** Evaluate Python expressions in the kernel, silently. */
  async evaluate(expressions: Readonly<Record<string, string>>): Promise<Answers> {
    const kernel = this.present();
    const message = KernelMessage.createMessage<KernelMessage.IExecuteRequestMsg>({
      ...this.header(kernel),
      msgType: 'execute_request',
      content: {
        code: '',
        silent: true,
        store_history: false,
        user_expressions: { ...expressions },
        allow_stdin: false,
        stop_on_error: false
      }
    });
    const reply = (await kernel.sendShellMessage(message, true)
      .done) as KernelMessage.IExecuteReplyMsg;
    const found = reply.content.status === 'ok' ? reply.content.user_expressions : {};
    return Object.fromEntries(Object.entries(found).map(([name, answer]) => [name, read(answer)]));
  }

  /** Speak over a comm that stays the kernel's: nobody opens it or hangs up. */
  join(id: string): void {
    this.id = id;
    this.isOwn = false;
    this.closed.set(false);
  }

  /** Open a comm, the canvas's or another's; the kernel's side must have been registered. */
  open(target = COMM_TARGET): void {
    const kernel = this.present();
    this.id = UUID.uuid4();
    this.isOwn = true;
    const content = { comm_id: this.id, target_name: target, data: {} };
    const message = KernelMessage.createMessage<KernelMessage.ICommOpenMsg<'shell'>>({
      ...this.header(kernel),
      msgType: 'comm_open',
      content
    });
    kernel.sendShellMessage(message, false, true);
    this.closed.set(false);
  }

  send(data: unknown, buffers: ArrayBuffer[] = []): void {
    const kernel = this.present();
    const message = KernelMessage.createMessage<KernelMessage.ICommMsgMsg<'shell'>>({
      ...this.header(kernel),
      msgType: 'comm_msg',
      content: { comm_id: this.id, data: data as KernelMessage.ICommMsgMsg['content']['data'] },
      buffers
    });
    kernel.sendShellMessage(message, false, true);
  }

  onMessage(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Let go of the kernel; what it runs goes on. */
  detach(): void {
    const { kernel, subshell } = this;
    if (kernel && !kernel.isDisposed) {
      kernel.iopubMessage.disconnect(this.receive, this);
      if (kernel.connectionStatus === 'connected' && RUNNING.has(kernel.status)) {
        this.hangUp(kernel);
        if (subshell) {
          kernel.requestDeleteSubshell({ subshell_id: subshell }, true);
        }
      }
    }
    this.kernel = null;
    this.subshell = null;
    this.id = '';
    this.closed.set(true);
  }

  private hangUp(kernel: Kernel.IKernelConnection): void {
    if (!this.id || !this.isOwn) {
      return;
    }
    const message = KernelMessage.createMessage<KernelMessage.ICommCloseMsg<'shell'>>({
      ...this.header(kernel),
      msgType: 'comm_close',
      content: { comm_id: this.id, data: {} }
    });
    kernel.sendShellMessage(message, false, true);
  }

  private receive(_: Kernel.IKernelConnection, message: KernelMessage.IIOPubMessage): void {
    if (KernelMessage.isCommMsgMsg(message) && message.content.comm_id === this.id) {
      const buffers = (message.buffers ?? []).map(view);
      this.listeners.forEach(listener => listener(message.content.data, buffers));
    } else if (KernelMessage.isCommCloseMsg(message) && message.content.comm_id === this.id) {
      this.closed.set(true);
    }
  }

  private present(): Kernel.IKernelConnection {
    if (!this.kernel || this.kernel.isDisposed) {
      throw new Error('There is no kernel.');
    }
    return this.kernel;
  }

  private header(kernel: Kernel.IKernelConnection) {
    return {
      channel: 'shell' as const,
      username: kernel.username,
      session: kernel.clientId,
      ...(this.subshell ? { subshellId: this.subshell } : {})
    };
  }
}

/** States in which a kernel takes messages. */
export const RUNNING: ReadonlySet<Kernel.Status> = new Set(['idle', 'busy', 'starting', 'unknown']);

function view(buffer: ArrayBuffer | ArrayBufferView): DataView {
  return buffer instanceof ArrayBuffer
    ? new DataView(buffer)
    : new DataView(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength);
}

function read(answer: unknown): Answers[string] {
  const { status, data, ename, evalue } = answer as {
    status: string;
    data?: Record<string, string>;
    ename?: string;
    evalue?: string;
  };
  return status === 'ok'
    ? { value: data?.['text/plain'] ?? '' }
    : { name: ename ?? '', error: evalue ?? '' };
}
