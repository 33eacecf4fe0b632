/**
 * Requests of agents about the notebook that their kernel belongs to. The kernel offers each to all
 * pages; one that shows the notebook claims it, and does it once it is told to. The Python side is
 * `agents/iaiflow_agents/tools/notebook_line.py`.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import { KernelMessage, type Kernel } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';
import type { JsonObject } from '../core/flow';
import { CommTransport } from './comm';
import { Refusal } from './notebookCells';

/** The comms of the kernel: by which it asks, and by which it is answered. */
const ASKS = 'iaiflow.notebook';
const ANSWERS = 'iaiflow.notebook.answers';
/** How long pages hold back which the request did not come from, and those nobody looks at, in ms. */
const ELSEWHERE = 200;
const HIDDEN = 600;

/** Does something in the notebook; throws a `Refusal` when it cannot be done. */
export type Doer = (verb: string, args: JsonObject) => Promise<JsonObject>;

export class NotebookLine {
  private readonly page = UUID.uuid4();
  private readonly transport = new CommTransport();
  private kernel: Kernel.IKernelConnection | null = null;
  /** Resolves when the transport can send; null: nothing has been asked yet. */
  private joined: Promise<void> | null = null;

  constructor(
    private readonly session: ISessionContext,
    private readonly perform: Doer
  ) {
    session.kernelChanged.connect(this.look, this);
    this.look();
  }

  dispose(): void {
    this.session.kernelChanged.disconnect(this.look, this);
    this.follow(null);
  }

  private look(): void {
    this.follow(this.session.session?.kernel ?? null);
  }

  private follow(kernel: Kernel.IKernelConnection | null): void {
    if (kernel === this.kernel) {
      return;
    }
    this.kernel?.iopubMessage.disconnect(this.receive, this);
    this.kernel?.statusChanged.disconnect(this.restarted, this);
    this.leave();
    this.kernel = kernel;
    kernel?.iopubMessage.connect(this.receive, this);
    kernel?.statusChanged.connect(this.restarted, this);
  }

  private restarted(_: Kernel.IKernelConnection, status: Kernel.Status): void {
    if (['restarting', 'autorestarting', 'dead'].includes(status)) {
      this.leave(); // its subshells are gone
    }
  }

  private leave(): void {
    this.joined = null;
    this.transport.detach();
  }

  private receive(kernel: Kernel.IKernelConnection, message: KernelMessage.IIOPubMessage): void {
    if (!KernelMessage.isCommMsgMsg(message) || message.content.comm_id !== ASKS) {
      return;
    }
    const { kind, id, page, verb, args } = requestIn(message.content.data as JsonObject);
    if (kind === 'offer') {
      const isOwn = (message.parent_header as { session?: string }).session === kernel.clientId;
      const pause = document.visibilityState === 'hidden' ? HIDDEN : isOwn ? 0 : ELSEWHERE;
      setTimeout(() => void this.say({ kind: 'claim', id, page: this.page }), pause);
    } else if (kind === 'do' && page === this.page) {
      void this.answer(id, verb, args);
    }
  }

  private async answer(id: string, verb: string, args: JsonObject): Promise<void> {
    let answer: JsonObject;
    try {
      answer = { value: await this.perform(verb, args) };
    } catch (error) {
      answer = { refused: error instanceof Refusal ? error.message : `The page failed: ${error}` };
    }
    await this.say({ kind: 'answer', id, ...answer });
  }

  private async say(message: JsonObject): Promise<void> {
    const { kernel } = this;
    if (!kernel || kernel.isDisposed) {
      return;
    }
    this.joined ??= this.transport.attach(kernel).then(() => this.transport.join(ANSWERS));
    const { joined } = this;
    const isThere = await joined.then(
      () => true,
      () => false
    );
    if (joined !== this.joined) {
      return; // the kernel is another one, or was restarted
    }
    if (!isThere || kernel.isDisposed) {
      this.leave(); // it is tried anew with the next message
    } else {
      this.transport.send(message);
    }
  }
}

function requestIn(data: JsonObject) {
  const text = (name: string): string => (typeof data[name] === 'string' ? data[name] : '');
  return {
    kind: text('kind'),
    id: text('id'),
    page: text('page'),
    verb: text('verb'),
    args: (data.arguments ?? {}) as JsonObject
  };
}
