/** The threads of a chat panel, and how their questions reach an agent. */
import { readTrace, type AgentState } from './agentTrace';
import {
  asked,
  askedAnew,
  before,
  canAsk,
  newThread,
  told,
  withShown,
  type Attachment,
  type ChatAgent,
  type ExchangeState,
  type Question,
  type Thread
} from './chat';
import { Store } from './store';

/** One question as it is carried out. */
export interface Asked extends Question {
  readonly agent: ChatAgent;
  readonly thread: string;
  readonly exchange: string;
  /** The exchanges whose conversation it goes on with, the first one first. */
  readonly after: readonly string[];
}

/** What carries questions out: the kernel, or the service. */
export interface ChatBackend {
  /** Resolves when the agent has it; rejects with a sentence why it has not. */
  ask(question: Asked): Promise<{ readonly run_id: string }>;
  /** Ends a run; what came of it is told as of any other. */
  stop(runId: string): Promise<void>;
}

/** Makes ids and tells the time, in seconds since the Unix epoch. */
export interface ChatWorld {
  id(): string;
  now(): number;
}

export class Chats {
  readonly threads = new Store<readonly Thread[]>([]);
  /** The thread that is open; "": none. */
  readonly open = new Store('');

  constructor(
    private readonly backend: ChatBackend,
    private readonly world: ChatWorld,
    threads: readonly Thread[] = []
  ) {
    this.threads.set(threads);
  }

  thread(id: string): Thread | null {
    return this.threads.get().find(thread => thread.id === id) ?? null;
  }

  /** Begin a thread and open it. */
  begin(agent: ChatAgent): string {
    const made = newThread(this.world.id(), agent, this.world.now());
    this.threads.update(threads => [made, ...threads]);
    this.open.set(made.id);
    return made.id;
  }

  rename(id: string, title: string): void {
    this.change(id, thread => ({ ...thread, title: title.trim() }));
  }

  /** Forget a thread; what goes on in it is not stopped. */
  remove(id: string): void {
    this.threads.update(threads => threads.filter(thread => thread.id !== id));
    if (this.open.get() === id) {
      this.open.set('');
    }
  }

  /** Ask at the end of a thread; false: the agent still works, or there is nothing to ask. */
  async ask(id: string, text: string, attachments: readonly Attachment[] = []): Promise<boolean> {
    return this.send(id, text, (thread, exchange) =>
      asked(thread, { text, attachments }, exchange, this.world.now())
    );
  }

  /** Ask once more in place of an exchange. */
  async askAnew(
    id: string,
    old: string,
    text: string,
    attachments: readonly Attachment[] = []
  ): Promise<boolean> {
    return this.send(id, text, (thread, exchange) =>
      askedAnew(thread, old, { text, attachments }, exchange, this.world.now())
    );
  }

  /** Show another version of an exchange. */
  show(id: string, exchange: string): void {
    this.change(id, thread => withShown(thread, exchange));
  }

  /** Take what an agent did so far, as its output has it. */
  take(id: string, exchange: string, trace: string): void {
    const read = readTrace(trace);
    if (read) {
      const state = STATES[read.state];
      const fault = state === 'failed' ? read.reason : '';
      this.change(id, thread => told(thread, exchange, { trace, state, fault }));
    }
  }

  /** Take that nothing more comes of an exchange: its run has ended without an answer. */
  end(id: string, exchange: string, state: 'stopped' | 'failed', fault = ''): void {
    this.change(id, thread => told(thread, exchange, { state, fault }));
  }

  /** Have what an exchange began end; what came of it is told by its trace. */
  async stop(id: string, exchange: string): Promise<void> {
    const found = this.thread(id)?.exchanges.find(one => one.id === exchange);
    if (found?.run_id) {
      await this.backend.stop(found.run_id);
    }
  }

  private async send(
    id: string,
    text: string,
    add: (thread: Thread, exchange: string) => Thread
  ): Promise<boolean> {
    const thread = this.thread(id);
    if (!thread || !canAsk(thread) || text.trim() === '') {
      return false;
    }
    const exchange = this.world.id();
    const next = add(thread, exchange);
    const made = next.exchanges.find(one => one.id === exchange);
    if (!made) {
      return false;
    }
    this.change(id, () => next);
    try {
      const { run_id } = await this.backend.ask({
        agent: next.agent,
        thread: id,
        exchange,
        after: before(next, exchange).map(one => one.id),
        text: made.text,
        attachments: made.attachments
      });
      this.change(id, now => told(now, exchange, { state: 'working', run_id }));
    } catch (error) {
      this.end(id, exchange, 'failed', error instanceof Error ? error.message : String(error));
    }
    return true;
  }

  private change(id: string, change: (thread: Thread) => Thread): void {
    this.threads.update(threads =>
      threads.map(thread => (thread.id === id ? change(thread) : thread))
    );
  }
}

/** How an exchange ends with its agent. */
const STATES: Readonly<Record<AgentState, ExchangeState>> = {
  thinking: 'working',
  calling: 'working',
  asking: 'working',
  waiting: 'working',
  done: 'done',
  stopped: 'stopped',
  failed: 'failed',
  interrupted: 'stopped'
};
