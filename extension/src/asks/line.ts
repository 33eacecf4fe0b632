/** The line to a run in a cell: what it asks, and the answers of people. */
import { askOf, type Ask, type Asking, answerOf, type Decision } from '../core/asks';
import type { Transport } from '../core/link';
import { Store } from '../core/store';

/** Milliseconds after which a page that was not heard asks again. */
const AGAIN = 500;
/** How often it asks before it says that it is not heard. */
const PATIENCE = 10;
/** The version of what kernel and page say to each other. */
const VERSION = 1;

interface Pending {
  resolve(): void;
  reject(error: Error): void;
}

export class Line {
  /** What is asked now. */
  readonly asks = new Store<readonly Ask[]>([]);
  /** Whether the kernel hears nobody while it runs the cell. */
  readonly unheard = new Store(false);
  private timer: ReturnType<typeof setInterval> | null = null;
  private readonly view = crypto.getRandomValues(new Uint32Array(2)).join('-');
  private readonly pending = new Map<number, Pending>();
  private readonly ends: (() => void)[];
  private last = 0;

  constructor(
    private readonly transport: Transport,
    /** What is said once the kernel's side is gone. */
    private readonly lost: string
  ) {
    this.ends = [
      transport.onMessage(message => this.receive(message)),
      transport.closed.subscribe(() => transport.closed.get() && this.end())
    ];
  }

  /**
   * Ask for what is asked, until there is an answer: what is sent before the page has a subshell for
   * its widgets waits for the end of the cell.
   */
  start(): void {
    let left = PATIENCE;
    const ask = (): void => {
      left -= 1;
      this.unheard.set(left < 0);
      this.transport.send({ v: VERSION, do: 'hello' });
    };
    this.timer = setInterval(ask, AGAIN);
    ask();
  }

  private stopAsking(): void {
    if (this.timer !== null) {
      clearInterval(this.timer);
      this.timer = null;
    }
    this.unheard.set(false);
  }

  /** Answer; rejects with a sentence. */
  answer(ask: Ask, decision: Decision): Promise<void> {
    const id = (this.last += 1);
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      try {
        const args = answerOf(ask, decision);
        this.transport.send({ v: VERSION, do: 'answer', view: this.view, id, args });
      } catch {
        this.end();
      }
    });
  }

  dispose(): void {
    this.ends.forEach(end => end());
    this.end();
  }

  private receive(message: unknown): void {
    const { waits, view, reply, error } = (message ?? {}) as Record<string, unknown>;
    if (Array.isArray(waits)) {
      this.stopAsking();
      this.asks.set(waits.flatMap((wait: Asking) => askOf(wait) ?? []));
    }
    if (view === this.view && typeof reply === 'number') {
      const pending = this.pending.get(reply);
      this.pending.delete(reply);
      if (typeof error === 'string') {
        pending?.reject(new Error(error));
      } else {
        pending?.resolve();
      }
    }
  }

  /** No answer will come any more. */
  private end(): void {
    this.stopAsking();
    for (const { reject } of this.pending.values()) {
      reject(new Error(this.lost));
    }
    this.pending.clear();
    this.asks.set([]);
  }
}
