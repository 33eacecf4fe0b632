/**
 * The line between a chat and its kernel: requests with replies, and what the kernel tells unasked.
 * The Python side is `agents/iaiflow_agents/chat`. The kernel owns the threads; several pages may
 * look at them.
 */
import type { Attachment, ChatAgent, ExchangeNews, ExchangeState, Thread } from './chat';
import type { Json } from './flow';
import type { Transport } from './link';
import type { Trans } from './messages';
import type { Wait } from './protocol';
import { Store } from './store';

/** The comm target of a chat that a page opens. */
export const CHAT_TARGET = 'iaiflow.chat';

/** An agent that can be talked with. */
export interface AgentInfo {
  readonly agent: ChatAgent;
  readonly title: string;
  readonly model: string;
  readonly is_scripted: boolean;
  readonly has_memory: boolean;
  /** Why it cannot be asked now, with what to do about it; "": it can. */
  readonly fault: string;
}

/** A thread in the list of threads. */
export interface ThreadInfo {
  readonly id: string;
  readonly agent: ChatAgent;
  /** What people call it, or the beginning of its first question; "": nothing was asked yet. */
  readonly title: string;
  /** Seconds since the Unix epoch, as in all of this. */
  readonly created_at: number;
  readonly changed_at: number;
  /** Questions in it. */
  readonly count: number;
  /** Of its last question; "": there is none. */
  readonly state: ExchangeState | '';
}

export interface TableInfo {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
}

export interface FileInfo {
  /** From the workspace on. */
  readonly path: string;
  readonly bytes: number;
}

export interface MemoryInfo {
  readonly id: string;
  readonly text: string;
  readonly kind: string;
  /** When it was recorded. */
  readonly when: number | null;
  /** Why it was found; "": it was not searched for. */
  readonly why: string;
}

/** What a kernel can be asked: arguments and results by verb. */
export interface ChatVerbs {
  /** `agent`: list it first, and its threads; nothing is executed and no model asked. */
  hello: {
    arguments: { agent?: ChatAgent };
    result: {
      /** What can be talked with, of this kernel; of `agent.chat()` just that one. */
      agents: readonly AgentInfo[];
      /** The newest first. */
      threads: readonly ThreadInfo[];
      /** The folder that paths start at. */
      workspace: string;
    };
  };
  thread: {
    arguments: { id: string };
    /** `asks`: what is asked of people now, by exchange. */
    result: { thread: Thread; asks: Readonly<Record<string, readonly Wait[]>> };
  };
  begin: { arguments: { agent: ChatAgent }; result: Thread };
  rename: { arguments: { id: string; title: string }; result: Nothing };
  remove: { arguments: { id: string }; result: Nothing };
  /** Show this version of an exchange. */
  show: { arguments: { id: string; exchange: string }; result: Nothing };
  ask: {
    arguments: {
      thread: string;
      /** The page's name for what is asked. */
      exchange: string;
      /** The exchange that it goes on from; null: it begins the thread. */
      parent: string | null;
      text: string;
      attachments: readonly Attachment[];
    };
    result: { run_id: string };
  };
  stop: { arguments: { run_id: string }; result: Nothing };
  /** `step` and the rest are what a canvas answers: `core/asks.ts`. */
  answer: {
    arguments: {
      run_id: string;
      step: string;
      outcome: 'approved' | 'refused' | 'answered';
      value: Json;
      reason: string;
    };
    result: Nothing;
  };
  tables: { arguments: Nothing; result: readonly TableInfo[] };
  /** Files whose path holds this text, hidden ones left out. */
  files: { arguments: { prefix: string }; result: readonly FileInfo[] };
  /** `query` "": the newest. */
  memories: { arguments: { agent: ChatAgent; query: string }; result: readonly MemoryInfo[] };
  forget: { arguments: { agent: ChatAgent; id: string }; result: Nothing };
  /** Write a thread as a notebook; the path is one of the workspace. */
  export: { arguments: { id: string }; result: { path: string } };
}

type Nothing = Readonly<Record<string, never>>;
export type ChatVerb = keyof ChatVerbs;

/** Told unasked, to every page. */
export type ChatPush =
  /** An exchange goes on; what is left out has not changed. At most ten a second. */
  | ({
      readonly push: 'exchange';
      readonly thread: string;
      readonly exchange: string;
    } & Partial<ExchangeNews>)
  /** All that an exchange asks of people now. */
  | {
      readonly push: 'asks';
      readonly thread: string;
      readonly exchange: string;
      readonly asks: readonly Wait[];
    }
  /** Another version of an exchange is shown. */
  | {
      readonly push: 'shown';
      readonly thread: string;
      readonly chosen: Readonly<Record<string, string>>;
    }
  | { readonly push: 'threads'; readonly threads: readonly ThreadInfo[] };

/** Why the kernel refused, as one sentence with what to do. */
export class ChatError extends Error {
  constructor(
    /** The kernel's code, or `lost`. */
    readonly code: string,
    message: string
  ) {
    super(message);
    this.name = 'ChatError';
  }
}

interface Pending {
  resolve(result: never): void;
  reject(error: ChatError): void;
}

/** Milliseconds after which a person is told that the kernel is busy. */
const PATIENCE = 3_000;

export class ChatLink {
  /** Whether an answer is late: the kernel is busy. */
  readonly slow = new Store(false);
  /** Whether the kernel's side is gone. */
  readonly gone: Store<boolean>;
  private readonly view = crypto.getRandomValues(new Uint32Array(2)).join('-');
  private readonly pending = new Map<number, Pending>();
  private readonly listeners = new Set<(push: ChatPush) => void>();
  private readonly ends: (() => void)[];
  private timer: ReturnType<typeof setTimeout> | null = null;
  private last = 0;

  constructor(
    private readonly transport: Transport,
    private readonly trans: Trans
  ) {
    this.gone = transport.closed;
    this.ends = [
      transport.onMessage(message => this.receive(message)),
      transport.closed.subscribe(() => transport.closed.get() && this.rejectAll())
    ];
  }

  /** Ask the kernel; rejects with a `ChatError`. */
  ask<K extends ChatVerb>(
    verb: K,
    args: ChatVerbs[K]['arguments']
  ): Promise<ChatVerbs[K]['result']> {
    if (this.gone.get()) {
      return Promise.reject(this.lost());
    }
    const id = (this.last += 1);
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.watch();
      try {
        this.transport.send({ view: this.view, id, verb, args });
      } catch {
        this.take(id)?.reject(this.lost());
      }
    });
  }

  /** Hear what the kernel says without being asked. */
  onPush(listener: (push: ChatPush) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    this.ends.forEach(end => end());
    this.rejectAll();
    this.listeners.clear();
  }

  private receive(message: unknown): void {
    if (typeof message !== 'object' || message === null) {
      return;
    }
    if ('push' in message) {
      this.listeners.forEach(listener => listener(message as ChatPush));
      return;
    }
    const { view, id, ok, error } = message as Record<string, unknown>;
    if (view !== this.view || typeof id !== 'number') {
      return; // it answers another page
    }
    const pending = this.take(id);
    if (error) {
      pending?.reject(refusal(error));
    } else {
      pending?.resolve(ok as never);
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

  private lost(): ChatError {
    return new ChatError('lost', this.trans('The kernel is gone. Start it again to go on.'));
  }

  private rejectAll(): void {
    for (const id of [...this.pending.keys()]) {
      this.take(id)?.reject(this.lost());
    }
  }
}

function refusal(error: unknown): ChatError {
  const { message, code, remedy } = error as Record<string, unknown>;
  const said = [message, remedy].filter(part => typeof part === 'string' && part !== '').join(' ');
  return new ChatError(typeof code === 'string' ? code : '', said || String(error));
}
