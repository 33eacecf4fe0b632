/** Requests to a kernel that wait for their answers, until the kernel is gone. */
import type { Transport } from './link';
import { Store } from './store';

interface Pending<R> {
  readonly request: R;
  resolve(result: never): void;
  reject(error: Error): void;
}

/** Milliseconds after which a person is told that the kernel is busy. */
const PATIENCE = 3_000;

/**
 * Numbers requests and knows which answer is for which; what requests and answers hold is up to
 * whoever makes them. A widget's messages reach every view of it, so requests also say whose they are.
 */
export class PendingRequests<R extends object> {
  /** Whether an answer is late: the kernel is busy. */
  readonly slow = new Store(false);
  /** Whether the kernel's side is gone. */
  readonly gone: Store<boolean>;
  private readonly view = crypto.getRandomValues(new Uint32Array(2)).join('-');
  private readonly pending = new Map<number, Pending<R>>();
  private readonly unsubscribe: () => void;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private last = 0;

  /** @param lost Makes the error of what a kernel that is gone was asked. */
  constructor(
    private readonly transport: Transport,
    private readonly lost: () => Error
  ) {
    this.gone = transport.closed;
    this.unsubscribe = this.gone.subscribe(() => this.gone.get() && this.rejectAll());
  }

  /** Send a request, with `view` and `id` beside what it holds. */
  send<T>(request: R): Promise<T> {
    if (this.gone.get()) {
      return Promise.reject(this.lost());
    }
    const id = (this.last += 1);
    return new Promise<T>((resolve, reject) => {
      this.pending.set(id, { request, resolve, reject });
      this.watch();
      try {
        this.transport.send({ ...request, view: this.view, id });
      } catch {
        this.take(id)?.reject(this.lost());
      }
    });
  }

  /** Settle the request that an answer names; the answers of other views are not ours. */
  settle(view: unknown, id: unknown, error: Error | null, result: unknown): void {
    const pending = view === this.view ? this.take(id as number) : undefined;
    if (error) {
      pending?.reject(error);
    } else {
      pending?.resolve(result as never);
    }
  }

  /** Give up requests, all or those that are meant. */
  rejectAll(why: () => Error = this.lost, isMeant: (request: R) => boolean = () => true): void {
    for (const [id, { request }] of [...this.pending]) {
      if (isMeant(request)) {
        this.take(id)?.reject(why());
      }
    }
  }

  dispose(): void {
    this.unsubscribe();
    this.rejectAll();
  }

  private take(id: number): Pending<R> | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    this.watch();
    return pending;
  }

  private watch(): void {
    if (this.timer !== null) {
      clearTimeout(this.timer);
      this.timer = null;
    }
    if (this.pending.size === 0) {
      this.slow.set(false);
    } else {
      this.timer = setTimeout(() => this.slow.set(true), PATIENCE);
    }
  }
}
