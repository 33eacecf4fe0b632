/** The line to a run in a cell: what it asks, and the answers of people. */
import type { Answer } from '../core/asks';
import type { Transport } from '../core/link';
import { PendingRequests } from '../core/pendingRequests';
import type { Wait } from '../core/protocol';
import { Store } from '../core/store';

/** Milliseconds after which a page that was not heard asks again. */
const AGAIN = 500;
/** How often it asks before it says that it is not heard. */
const PATIENCE = 10;
/** The version of what kernel and page say to each other. */
const VERSION = 1;

interface Request {
  readonly v: number;
  readonly do: 'answer';
  readonly args: Answer;
}

export class Line {
  /** What is asked now. */
  readonly waits = new Store<readonly Wait[]>([]);
  /** Whether the kernel hears nobody while it runs the cell. */
  readonly unheard = new Store(false);
  private timer: ReturnType<typeof setInterval> | null = null;
  private readonly requests: PendingRequests<Request>;
  private readonly ends: (() => void)[];

  constructor(
    private readonly transport: Transport,
    /** What is said once the kernel's side is gone. */
    lost: string
  ) {
    this.requests = new PendingRequests(transport, () => new Error(lost));
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
  answer(answer: Answer): Promise<void> {
    return this.requests.send({ v: VERSION, do: 'answer', args: answer });
  }

  dispose(): void {
    this.ends.forEach(end => end());
    this.requests.dispose();
    this.end();
  }

  private receive(message: unknown): void {
    const { waits, view, reply, error } = (message ?? {}) as Record<string, unknown>;
    if (Array.isArray(waits)) {
      this.stopAsking();
      this.waits.set(waits);
    }
    this.requests.settle(view, reply, typeof error === 'string' ? new Error(error) : null, null);
  }

  /** No answer will come any more. */
  private end(): void {
    this.stopAsking();
    this.waits.set([]);
  }
}
