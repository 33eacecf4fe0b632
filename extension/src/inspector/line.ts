/** Requests to the kernel over a widget's messages; of two that ask for the same, the newer counts. */
import type { Transport } from '../core/link';
import { PendingRequests } from '../core/pendingRequests';
import type { Store } from '../core/store';
import { VERSION, type RequestName, type Requests } from './types';

/** Why a request failed, as one sentence. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** A newer request took its place, so that its answer is of no use. */
export class Replaced extends Error {
  override readonly name = 'Replaced';
}

interface Request {
  readonly v: number;
  readonly do: RequestName;
  readonly args: Requests[RequestName]['arguments'];
}

/** What is done whatever is asked after it. */
const WRITES: ReadonlySet<RequestName> = new Set(['edit', 'forget', 'erase']);

export class Line {
  /** Whether an answer is late: the kernel is busy. */
  readonly slow: Store<boolean>;
  /** Whether the kernel's side is gone. */
  readonly gone: Store<boolean>;
  private readonly requests: PendingRequests<Request>;
  private readonly unsubscribe: () => void;

  constructor(transport: Transport, lost: string) {
    this.requests = new PendingRequests(transport, () => new Refused(lost));
    this.slow = this.requests.slow;
    this.gone = this.requests.gone;
    this.unsubscribe = transport.onMessage(message => this.receive(message));
  }

  /** Ask; rejects with `Refused`, or with `Replaced` when the same is asked anew meanwhile. */
  ask<K extends RequestName>(
    name: K,
    args: Requests[K]['arguments']
  ): Promise<Requests[K]['result']> {
    if (!WRITES.has(name)) {
      this.requests.rejectAll(
        () => new Replaced(),
        before => before.do === name
      );
    }
    return this.requests.send({ v: VERSION, do: name, args });
  }

  dispose(): void {
    this.unsubscribe();
    this.requests.dispose();
  }

  private receive(message: unknown): void {
    const { view, reply, result, error } = (message ?? {}) as Record<string, unknown>;
    this.requests.settle(view, reply, error ? refusal(error) : null, result);
  }
}

function refusal(error: unknown): Refused {
  return new Refused(String((error as { message?: unknown }).message ?? error));
}
