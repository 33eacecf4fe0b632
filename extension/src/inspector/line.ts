/** Requests to the kernel over a widget's messages; of two that ask for the same, the newer counts. */
import type { Transport } from '../core/link';
import { Store } from '../core/store';
import { VERSION, type RequestName, type Requests } from './types';

/** Why a request failed, as one sentence. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** A newer request took its place, so that its answer is of no use. */
export class Replaced extends Error {
  override readonly name = 'Replaced';
}

interface Pending {
  readonly name: RequestName;
  resolve(result: never): void;
  reject(error: Error): void;
}

/** What is done whatever is asked after it. */
const WRITES: ReadonlySet<RequestName> = new Set(['edit', 'forget', 'erase']);
/** Milliseconds after which a person is told that the kernel is busy. */
const PATIENCE = 3_000;

export class Line {
  /** Whether an answer is late: the kernel is busy. */
  readonly slow = new Store(false);
  /** Whether the kernel's side is gone. */
  readonly gone: Store<boolean>;
  private readonly view = crypto.getRandomValues(new Uint32Array(2)).join('-');
  private readonly pending = new Map<number, Pending>();
  private readonly ends: (() => void)[];
  private timer: ReturnType<typeof setTimeout> | null = null;
  private last = 0;

  constructor(
    private readonly transport: Transport,
    private readonly lost: string
  ) {
    this.gone = transport.closed;
    this.ends = [
      transport.onMessage(message => this.receive(message)),
      transport.closed.subscribe(() => transport.closed.get() && this.rejectAll())
    ];
  }

  /** Ask; rejects with `Refused`, or with `Replaced` when the same is asked anew meanwhile. */
  ask<K extends RequestName>(
    name: K,
    args: Requests[K]['arguments']
  ): Promise<Requests[K]['result']> {
    if (this.gone.get()) {
      return Promise.reject(new Refused(this.lost));
    }
    if (!WRITES.has(name)) {
      this.replace(name);
    }
    const id = (this.last += 1);
    return new Promise((resolve, reject) => {
      this.pending.set(id, { name, resolve, reject });
      this.watch();
      try {
        this.transport.send({ v: VERSION, view: this.view, id, do: name, args });
      } catch {
        this.take(id)?.reject(new Refused(this.lost));
      }
    });
  }

  dispose(): void {
    this.ends.forEach(end => end());
    this.rejectAll();
  }

  private receive(message: unknown): void {
    if (typeof message !== 'object' || message === null) {
      return;
    }
    const { view, reply, result, error } = message as Record<string, unknown>;
    if (view !== this.view || typeof reply !== 'number') {
      return;
    }
    const pending = this.take(reply);
    if (error) {
      pending?.reject(new Refused(String((error as { message?: unknown }).message ?? error)));
    } else {
      pending?.resolve(result as never);
    }
  }

  private replace(name: RequestName): void {
    for (const [id, pending] of this.pending) {
      if (pending.name === name) {
        this.take(id)?.reject(new Replaced());
      }
    }
  }

  private take(id: number): Pending | undefined {
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

  private rejectAll(): void {
    for (const id of [...this.pending.keys()]) {
      this.take(id)?.reject(new Refused(this.lost));
    }
  }
}
