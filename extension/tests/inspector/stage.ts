/** A kernel that answers as a test says, and memories for it to tell of. */
import { Store } from '../../src/core/store';
import type { Transport } from '../../src/core/link';
import type { Hello, Item } from '../../src/inspector/types';

export interface Sent {
  readonly view: string;
  readonly id: number;
  readonly do: string;
  readonly args: Record<string, unknown>;
}

export class Kernel implements Transport {
  readonly closed = new Store(false);
  readonly sent: Sent[] = [];
  private hear: (message: unknown, buffers: DataView[]) => void = () => undefined;

  /** `answers` are given at once; what has none waits for `reply`. */
  constructor(private readonly answers: Readonly<Record<string, (args: never) => unknown>> = {}) {}

  send(message: unknown): void {
    const sent = message as Sent;
    this.sent.push(sent);
    const answer = this.answers[sent.do];
    if (answer) {
      queueMicrotask(() => this.answer(sent, answer));
    }
  }

  onMessage(listener: (message: unknown, buffers: DataView[]) => void): () => void {
    this.hear = listener;
    return () => undefined;
  }

  asked(name: string): Sent[] {
    return this.sent.filter(sent => sent.do === name);
  }

  reply(sent: Sent, result: unknown): void {
    this.hear({ v: 1, view: sent.view, reply: sent.id, result }, []);
  }

  refuse(sent: Sent, message: string): void {
    this.hear({ v: 1, view: sent.view, reply: sent.id, error: { code: 'bad-input', message } }, []);
  }

  private answer(sent: Sent, answer: (args: never) => unknown): void {
    try {
      this.reply(sent, answer(sent.args as never));
    } catch (error) {
      this.refuse(sent, (error as Error).message);
    }
  }
}

export function item(n: number, change: Partial<Item> = {}): Item {
  return {
    n,
    id: `m${n}`,
    version: 1,
    supersedes: 0,
    kind: 'episodic',
    subject: '',
    predicate: '',
    text: `text ${n}`,
    is_cut: false,
    value: null,
    confidence: 1,
    importance: 0.5,
    tags: [],
    scope: {},
    role: '',
    source: '',
    at: n,
    valid_from: n,
    valid_to: null,
    recorded_from: n,
    recorded_to: null,
    expires_at: null,
    standing: 'now',
    ...change
  };
}

export const HELLO: Hello = {
  place: 'memory.duckdb',
  scope: {},
  embedder: '',
  read_only: false,
  moment: null,
  owner: 7,
  stats: { memories: 3, versions: 3, episodes: 3, kinds: {}, vectors: {}, bytes: 1000 }
};
