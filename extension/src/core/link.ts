/**
 * The line to one canvas of the kernel: requests with replies and time limits, numbered events, and
 * a snapshot whenever a number is missing.
 */
import type { Trans } from './i18n';
import {
  VERSION,
  type Events,
  type KernelMessage,
  type Push,
  type Reply,
  type Requests,
  type Snapshot
} from './protocol';
import { RunStore } from './runs';
import { filled } from './sentence';
import { Store } from './store';

/** How messages travel: a comm, a widget's custom messages, a script. */
export interface Transport {
  /** May throw when the line is dead. */
  send(message: unknown, buffers?: ArrayBuffer[]): void;
  onMessage(listener: (message: unknown, buffers: DataView[]) => void): () => void;
  /** Whether the kernel's side is gone; may become false again. */
  readonly closed: Store<boolean>;
}

export type RequestName = keyof Requests;
export type Hello = Requests['hello']['result'];
/** `returning`: the kernel is gone, and expected to be back soon. */
export type LinkStatus = 'connecting' | 'ready' | 'lost' | 'returning' | 'outdated';

export interface LinkOptions {
  readonly runs?: RunStore;
  readonly trans?: Trans;
  /** Milliseconds to wait for a reply to anything but `hello`. */
  readonly timeout?: number;
}

/** Why a request failed, as one sentence with what to do. */
export class KernelError extends Error {
  constructor(
    /** The kernel's code, or `lost`, `timeout`, `outdated`. */
    readonly code: string,
    message: string,
    readonly where: string = ''
  ) {
    super(message);
    this.name = 'KernelError';
  }
}

interface Pending {
  readonly resolve: (answer: { result: never; buffers: DataView[] }) => void;
  readonly reject: (error: KernelError) => void;
  readonly timer: ReturnType<typeof setTimeout> | null;
}

const TIMEOUT = 20_000;
/** Milliseconds after which the kernel is told, when it says something, that this page is there. */
const SIGN_OF_LIFE = 15_000;
/** Milliseconds after which a snapshot that has not come is asked for again; then twice as many. */
const OVERDUE = 5_000;

export class KernelLink {
  readonly status = new Store<LinkStatus>('connecting');
  readonly info = new Store<Hello | null>(null);
  readonly runs: RunStore;
  private readonly trans: Trans;
  private readonly timeout: number;
  private readonly pending = new Map<number, Pending>();
  private readonly pushes = new Set<(push: Push['push']) => void>();
  private readonly ends: (() => void)[];
  private lastId = 0;
  /** When something was sent last. */
  private spokeAt = 0;
  /** Number of the last message that was applied; null: a snapshot must come first. */
  private seq: number | null = null;
  /** Asks for the snapshot again; null: none is waited for. */
  private asking: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly transport: Transport,
    options: LinkOptions = {}
  ) {
    this.runs = options.runs ?? new RunStore();
    this.trans = options.trans ?? fill;
    this.timeout = options.timeout ?? TIMEOUT;
    this.ends = [
      transport.onMessage((message, buffers) => this.receive(message, buffers)),
      transport.closed.subscribe(() => this.switched())
    ];
    this.switched();
  }

  /** Introduce this canvas; afterwards `info` is known and the run's state follows. */
  async hello(args: Requests['hello']['arguments']): Promise<Hello> {
    const { result } = await this.ask('hello', args, null);
    this.info.set(result);
    this.status.set('ready');
    this.resync();
    return result;
  }

  /** Ask the kernel; rejects with a `KernelError`. */
  async request<K extends RequestName>(
    name: K,
    args: Requests[K]['arguments']
  ): Promise<Requests[K]['result']> {
    return (await this.ask(name, args, this.timeout)).result;
  }

  /** As `request`, with the buffers of the reply. */
  requestBinary<K extends RequestName>(
    name: K,
    args: Requests[K]['arguments']
  ): Promise<{ result: Requests[K]['result']; buffers: DataView[] }> {
    return this.ask(name, args, this.timeout);
  }

  /** Hear what the kernel says without being asked. */
  onPush(listener: (push: Push['push']) => void): () => void {
    this.pushes.add(listener);
    return () => this.pushes.delete(listener);
  }

  /** Ask for the whole state: the page was asleep, and messages may be lost. */
  refresh(): void {
    if (this.status.get() === 'ready') {
      this.resync();
    }
  }

  /** Whether a kernel that is gone is on its way back, as one that is being restarted. */
  expectBack(expected: boolean): void {
    if (this.isGone) {
      this.status.set(expected ? 'returning' : 'lost');
    }
  }

  dispose(): void {
    this.ends.forEach(end => end());
    this.stopAsking();
    this.rejectAll('lost', this.trans('The canvas was closed.'));
    this.pushes.clear();
    this.runs.dispose();
  }

  private ask<K extends RequestName>(
    name: K,
    args: Requests[K]['arguments'],
    timeout: number | null
  ): Promise<{ result: Requests[K]['result']; buffers: DataView[] }> {
    const refusal = this.refusal();
    if (refusal) {
      return Promise.reject(refusal);
    }
    const id = (this.lastId += 1);
    return new Promise((resolve, reject) => {
      const late = (): void => this.fail(id, this.tooLate(name));
      const timer = timeout === null ? null : setTimeout(late, timeout);
      this.pending.set(id, { resolve: resolve as Pending['resolve'], reject, timer });
      this.spokeAt = Date.now();
      try {
        this.transport.send({ v: VERSION, id, do: name, args });
      } catch {
        this.fail(id, new KernelError('lost', this.trans(LOST)));
      }
    });
  }

  private get isGone(): boolean {
    return ['lost', 'returning'].includes(this.status.get());
  }

  private refusal(): KernelError | null {
    if (this.isGone) {
      return new KernelError('lost', this.trans(LOST));
    }
    return this.status.get() === 'outdated'
      ? new KernelError('outdated', this.trans(OUTDATED))
      : null;
  }

  private tooLate(name: string): KernelError {
    const seconds = Math.round(this.timeout / 1000);
    return new KernelError(
      'timeout',
      this.trans(
        'The kernel did not answer "{name}" within {seconds} s; it may be busy. Try again when it is idle.',
        { name, seconds }
      )
    );
  }

  private receive(message: unknown, buffers: DataView[]): void {
    if (typeof message !== 'object' || message === null || !('v' in message)) {
      return;
    }
    if (message.v !== VERSION) {
      this.stopAsking();
      this.status.set('outdated');
      this.rejectAll('outdated', this.trans(OUTDATED));
      return;
    }
    const known = message as KernelMessage;
    if ('reply' in known) {
      this.answer(known, buffers);
      return;
    }
    if ('push' in known) {
      this.pushes.forEach(listener => listener(known.push));
    } else if ('snapshot' in known) {
      this.restore(known);
    } else if ('events' in known) {
      this.advance(known);
    }
    this.showLife();
  }

  /** Let the kernel know that what it sends arrives; otherwise others are served first. */
  private showLife(): void {
    if (this.status.get() === 'ready' && Date.now() - this.spokeAt >= SIGN_OF_LIFE) {
      this.request('here', {}).catch(() => undefined); // a kernel that is busy hears it later
    }
  }

  private answer({ reply, result, error }: Reply, buffers: DataView[]): void {
    if (error) {
      const message = [error.message, error.remedy].filter(Boolean).join(' ');
      this.fail(reply, new KernelError(error.code, message, error.where));
      return;
    }
    const pending = this.take(reply);
    pending?.resolve({ result: (result ?? {}) as never, buffers });
  }

  private restore(message: Snapshot): void {
    this.stopAsking();
    this.seq = message.seq;
    this.runs.apply(message);
  }

  private advance(message: Events): void {
    if (this.seq !== null && message.seq <= this.seq) {
      return;
    }
    if (this.seq === null || message.seq !== this.seq + 1) {
      this.resync();
      return;
    }
    this.seq = message.seq;
    this.runs.apply(message);
  }

  /** Ask for the whole state; what comes before it is contained in it. */
  private resync(): void {
    this.seq = null;
    if (this.asking === null) {
      this.askForAll(OVERDUE);
    }
  }

  /** What is sent may be lost on its way, the snapshot as well as the question. */
  private askForAll(patience: number): void {
    this.asking = setTimeout(() => this.askForAll(2 * patience), patience);
    this.request('snapshot', {}).catch(() => undefined);
  }

  private stopAsking(): void {
    if (this.asking !== null) {
      clearTimeout(this.asking);
      this.asking = null;
    }
  }

  private switched(): void {
    const closed = this.transport.closed.get();
    this.seq = null;
    this.stopAsking();
    this.status.set(closed ? 'lost' : 'connecting');
    if (closed) {
      this.rejectAll('lost', this.trans(LOST));
      this.runs.interrupt(Date.now() / 1000);
    }
  }

  private take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    if (pending?.timer) {
      clearTimeout(pending.timer);
    }
    return pending;
  }

  private fail(id: number, error: KernelError): void {
    this.take(id)?.reject(error);
  }

  private rejectAll(code: string, message: string): void {
    for (const id of [...this.pending.keys()]) {
      this.fail(id, new KernelError(code, message));
    }
  }
}

const LOST = 'The kernel is gone. Restart it and run the cell, or open the flow, again.';
const OUTDATED =
  'This canvas and iaiflow_lab in the kernel are of different versions. Install the same version of iaiflow-lab in both, then restart the kernel and reload the page.';

const fill: Trans = (message, values = {}) => filled({ message, values });
