/** The kernel's side of a chat, in the page: it keeps threads and answers every verb. */
import {
  asked,
  isSameAgent,
  newThread,
  titleOf,
  told,
  withShown,
  type ChatAgent,
  type ExchangeNews,
  type Thread
} from '../core/chat';
import type {
  AgentInfo,
  ChatPush,
  ChatVerb,
  ChatVerbs,
  FileInfo,
  MemoryInfo,
  TableInfo,
  ThreadInfo
} from '../core/chatLink';
import type { Transport } from '../core/link';
import type { Wait } from '../core/protocol';
import { Store } from '../core/store';

type Arguments = ChatVerbs[ChatVerb]['arguments'];
type Handlers = { [K in ChatVerb]: (args: ChatVerbs[K]['arguments']) => ChatVerbs[K]['result'] };

export const ANALYST: ChatAgent = { kind: 'kernel', name: 'analyst' };

export const AGENTS: readonly AgentInfo[] = [
  {
    agent: ANALYST,
    title: 'analyst',
    model: 'scripted:flights',
    is_scripted: true,
    has_memory: true,
    fault: ''
  }
];

export class PageChat implements Transport {
  readonly closed = new Store(false);
  agents: readonly AgentInfo[] = AGENTS;
  threads: readonly Thread[] = [];
  tables: readonly TableInfo[] = [{ name: 'flights', rows: 336_776, columns: 19 }];
  files: readonly FileInfo[] = [{ path: 'data/weather.csv', bytes: 48_120 }];
  memories: readonly MemoryInfo[] = [];
  /** What was asked of it, in order. */
  readonly calls: { readonly verb: ChatVerb; readonly args: Arguments }[] = [];
  /** Verbs that are refused, and why. */
  refused: Partial<Record<ChatVerb, string>> = {};
  /** Called when a question has been taken. */
  onAsk: (thread: string, exchange: string) => void = () => undefined;
  private readonly waits = new Map<string, readonly Wait[]>();
  private readonly listeners = new Set<(message: unknown, buffers: DataView[]) => void>();
  private runs = 0;

  send(message: unknown): void {
    const { view, id, verb, args } = message as {
      view: string;
      id: number;
      verb: ChatVerb;
      args: never;
    };
    this.calls.push({ verb, args });
    queueMicrotask(() => {
      const reason = this.refused[verb];
      this.say(
        reason === undefined
          ? { view, id, ok: this.handlers[verb](args) }
          : { view, id, error: { message: reason, code: 'refused', remedy: 'Try again.' } }
      );
    });
  }

  onMessage(listener: (message: unknown, buffers: DataView[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  push(push: ChatPush): void {
    this.say(push);
  }

  /** Something new of an exchange. */
  tell(thread: string, exchange: string, news: Partial<ExchangeNews>): void {
    this.change(thread, now => told(now, exchange, news));
    this.say({ push: 'exchange', thread, exchange, ...news });
    this.list();
  }

  /** All that an exchange asks of people now. */
  want(thread: string, exchange: string, asks: readonly Wait[]): void {
    this.waits.set(exchange, asks);
    this.say({ push: 'asks', thread, exchange, asks });
  }

  private readonly handlers: Handlers = {
    hello: () => ({ agents: this.agents, threads: this.listed(), workspace: '/work' }),
    thread: ({ id }) => {
      const thread = this.find(id);
      const ids = thread.exchanges.map(exchange => exchange.id);
      const asks = ids.flatMap(one => (this.waits.has(one) ? [[one, this.waits.get(one)]] : []));
      return { thread, asks: Object.fromEntries(asks) as Readonly<Record<string, Wait[]>> };
    },
    begin: ({ agent }) => {
      const made = newThread(`t${this.threads.length + 1}`, agent, Date.now() / 1000);
      this.threads = [made, ...this.threads];
      this.list();
      return made;
    },
    rename: ({ id, title }) => {
      this.change(id, thread => ({ ...thread, title }));
      this.list();
      return {};
    },
    remove: ({ id }) => {
      this.threads = this.threads.filter(thread => thread.id !== id);
      this.list();
      return {};
    },
    show: ({ id, exchange }) => {
      this.change(id, thread => withShown(thread, exchange));
      this.say({ push: 'shown', thread: id, chosen: this.find(id).chosen });
      return {};
    },
    ask: ({ thread, exchange, parent, text, attachments }) => {
      const question = { text, attachments };
      const at = Date.now() / 1000;
      this.change(thread, now => {
        const next = asked(now, question, exchange, at);
        const placed = next.exchanges.map(one => (one.id === exchange ? { ...one, parent } : one));
        return withShown({ ...next, chosen: now.chosen, exchanges: placed }, exchange);
      });
      const run_id = `run-${(this.runs += 1)}`;
      this.tell(thread, exchange, { state: 'working', run_id });
      this.onAsk(thread, exchange);
      return { run_id };
    },
    stop: ({ run_id }) => {
      for (const thread of this.threads) {
        thread.exchanges
          .filter(exchange => exchange.run_id === run_id)
          .forEach(({ id }) => this.tell(thread.id, id, { state: 'stopped' }));
      }
      return {};
    },
    answer: ({ run_id }) => {
      for (const thread of this.threads) {
        thread.exchanges
          .filter(exchange => exchange.run_id === run_id)
          .forEach(({ id }) => this.want(thread.id, id, []));
      }
      return {};
    },
    tables: () => this.tables,
    files: ({ prefix }) => this.files.filter(({ path }) => path.includes(prefix)),
    memories: ({ agent, query }) =>
      this.memories.filter(({ text }) => isSameAgent(agent, ANALYST) && text.includes(query)),
    forget: ({ id }) => {
      this.memories = this.memories.filter(memory => memory.id !== id);
      return {};
    },
    export: ({ id }) => ({ path: `${titleOf(this.find(id)) || 'chat'}.ipynb` })
  };

  private list(): void {
    this.say({ push: 'threads', threads: this.listed() });
  }

  private listed(): readonly ThreadInfo[] {
    return this.threads.map(thread => ({
      id: thread.id,
      agent: thread.agent,
      title: titleOf(thread),
      created_at: thread.created_at,
      changed_at: thread.exchanges.at(-1)?.sent_at ?? thread.created_at,
      count: thread.exchanges.length,
      state: thread.exchanges.at(-1)?.state ?? ''
    }));
  }

  private find(id: string): Thread {
    const found = this.threads.find(thread => thread.id === id);
    if (!found) {
      throw new Error(`There is no thread ${id}.`);
    }
    return found;
  }

  private change(id: string, change: (thread: Thread) => Thread): void {
    this.threads = this.threads.map(thread => (thread.id === id ? change(thread) : thread));
  }

  private say(message: unknown): void {
    this.listeners.forEach(listener => listener(message, []));
  }
}
