/**
 * The line between a chat and its kernel: requests with replies, and what the kernel tells unasked.
 * The Python side is `agents/iaiflow_agents/chat`. The kernel owns the threads; several pages may
 * look at them.
 */
import type { Attachment, ChatAgent, ExchangeNews, ExchangeState, Thread } from './chat';
import type { Json } from './flow';
import type { Transport } from './link';
import type { Trans } from './messages';
import { PendingRequests } from './pendingRequests';
import type { Wait } from './protocol';
import type { Store } from './store';

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

interface ChatRequest {
  readonly verb: ChatVerb;
  readonly args: ChatVerbs[ChatVerb]['arguments'];
}

export class ChatLink {
  /** Whether an answer is late: the kernel is busy. */
  readonly slow: Store<boolean>;
  /** Whether the kernel's side is gone. */
  readonly gone: Store<boolean>;
  private readonly requests: PendingRequests<ChatRequest>;
  private readonly listeners = new Set<(push: ChatPush) => void>();
  private readonly unsubscribe: () => void;

  constructor(transport: Transport, trans: Trans) {
    this.requests = new PendingRequests(
      transport,
      () => new ChatError('lost', trans('The kernel is gone. Start it again to go on.'))
    );
    this.slow = this.requests.slow;
    this.gone = this.requests.gone;
    this.unsubscribe = transport.onMessage(message => this.receive(message));
  }

  /** Ask the kernel; rejects with a `ChatError`. */
  ask<K extends ChatVerb>(
    verb: K,
    args: ChatVerbs[K]['arguments']
  ): Promise<ChatVerbs[K]['result']> {
    return this.requests.send({ verb, args });
  }

  /** Hear what the kernel says without being asked. */
  onPush(listener: (push: ChatPush) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    this.unsubscribe();
    this.requests.dispose();
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
    this.requests.settle(view, id, error ? refusal(error) : null, ok);
  }
}

function refusal(error: unknown): ChatError {
  const { message, code, remedy } = error as Record<string, unknown>;
  const said = [message, remedy].filter(part => typeof part === 'string' && part !== '').join(' ');
  return new ChatError(typeof code === 'string' ? code : '', said || String(error));
}
