/** What a chat shows: the kernel's agents and threads, the thread that is open, and its verbs. */
import {
  agentKey,
  asked,
  askedAnew,
  canAsk,
  isOpen,
  isSameAgent,
  newThread,
  shownBranch,
  told,
  withShown,
  without,
  type ChatAgent,
  type Exchange,
  type ExchangeNews,
  type Question,
  type Thread
} from './chat';
import type {
  AgentInfo,
  ChatLink,
  ChatPush,
  ChatVerb,
  ChatVerbs,
  FileInfo,
  MemoryInfo,
  TableInfo,
  ThreadInfo
} from './chatLink';
import type { Answer } from './asks';
import type { Wait } from './protocol';
import { Store } from './store';

/** Makes ids and tells the time, in seconds since the Unix epoch. */
export interface ChatWorld {
  id(): string;
  now(): number;
}

export const PAGE_WORLD: ChatWorld = {
  id: () =>
    [...crypto.getRandomValues(new Uint8Array(16))]
      .map(byte => byte.toString(16).padStart(2, '0'))
      .join(''),
  now: () => Date.now() / 1000
};

/** Who and what there is to talk with. */
export interface Lists {
  /** `failed`: the kernel did not say. */
  readonly state: 'loading' | 'ready' | 'failed';
  readonly agents: readonly AgentInfo[];
  /** The newest first. */
  readonly threads: readonly ThreadInfo[];
  readonly workspace: string;
}

/** The conversation that is shown. */
export interface Opened {
  /** Who answers in it; null: nobody can. */
  readonly agent: ChatAgent | null;
  /** "": nothing has been asked in it yet, and the kernel knows nothing of it. */
  readonly id: string;
  /** Null while it is fetched. */
  readonly thread: Thread | null;
  /** What is asked of people now, by exchange. */
  readonly asks: Readonly<Record<string, readonly Wait[]>>;
}

const NOTHING: Opened = { agent: null, id: '', thread: null, asks: {} };
const NO_TEXT: Question = { text: '', attachments: [] };

export class Chats {
  readonly lists = new Store<Lists>({ state: 'loading', agents: [], threads: [], workspace: '' });
  readonly opened = new Store<Opened>(NOTHING);
  /** Why the last thing that was wanted could not be done; "": it could. */
  readonly fault = new Store('');
  /** What is written and not yet asked, by conversation. */
  readonly drafts = new Store<Readonly<Record<string, Question>>>({});
  /** What was told of exchanges since the open thread was last asked for. */
  private readonly heard = new Map<string, Partial<ExchangeNews>>();
  /** An exchange that is to be stopped once its run is known; "": none is. */
  private unwanted = '';
  private readonly ends: (() => void)[];

  constructor(
    readonly link: ChatLink,
    private readonly world: ChatWorld = PAGE_WORLD,
    /** Whose threads are opened first; null: anybody's. */
    private wanted: ChatAgent | null = null
  ) {
    this.ends = [
      link.onPush(push => this.hear(push)),
      link.gone.subscribe(() => link.gone.get() || void this.start())
    ];
  }

  dispose(): void {
    this.ends.forEach(end => end());
    this.link.dispose();
  }

  /** Ask what there is; what is open is read anew. */
  async start(): Promise<void> {
    if (!(await this.refresh())) {
      return;
    }
    const { id } = this.opened.get();
    if (this.lists.get().threads.some(thread => thread.id === id)) {
      await this.open(id);
    } else {
      await this.turnTo(this.wanted);
    }
  }

  /** Ask anew who and what there is; false: the kernel did not say. */
  async refresh(): Promise<boolean> {
    if (this.link.gone.get()) {
      return false;
    }
    const lists = await this.tried('hello', this.wanted ? { agent: this.wanted } : {});
    if (lists) {
      this.lists.set({ state: 'ready', ...lists });
    } else {
      this.lists.update(known => ({ ...known, state: 'failed' }));
    }
    return lists !== null;
  }

  /** Show the newest thread of an agent, or a new one; null: of anybody. */
  async turnTo(agent: ChatAgent | null): Promise<void> {
    this.wanted = agent;
    const { threads } = this.lists.get();
    const found = threads.find(one => agent === null || isSameAgent(one.agent, agent));
    await (found ? this.open(found.id) : this.begin(agent ?? undefined));
  }

  /** Show an empty conversation; the kernel hears of it with its first question. */
  begin(agent: ChatAgent | undefined = this.lists.get().agents[0]?.agent): void {
    const thread = agent ? newThread('', agent, this.world.now()) : null;
    this.fault.set('');
    this.opened.set({ ...NOTHING, agent: agent ?? null, thread });
  }

  async open(id: string): Promise<void> {
    const known = this.lists.get().threads.find(thread => thread.id === id);
    const before = this.opened.get();
    this.fault.set('');
    if (before.id !== id) {
      this.opened.set({ ...NOTHING, id, agent: known?.agent ?? null });
    }
    this.heard.clear();
    const found = await this.tried('thread', { id });
    if (found && this.opened.get().id === id) {
      this.opened.set({ id, agent: found.thread.agent, ...caughtUp(found, this.heard) });
    }
  }

  async rename(id: string, title: string): Promise<void> {
    await this.tried('rename', { id, title: title.trim() });
  }

  async remove(id: string): Promise<void> {
    if (await this.tried('remove', { id })) {
      this.left(id);
    }
  }

  /** What is written in the conversation that is open, and not asked. */
  readonly draft = (): Question => this.draftOf(this.place);

  /** What tells the conversation that is open from others. */
  get place(): string {
    return placeOf(this.opened.get());
  }

  keepDraft(question: Question, key = this.place): void {
    this.drafts.update(drafts => ({ ...drafts, [key]: question }));
  }

  /**
   * Ask at the end of what is open, or in place of an exchange; false: it was refused. What was
   * written at the end is there again then, whatever is open.
   */
  async ask(question: Question, old: Exchange | null = null): Promise<boolean> {
    const { thread } = this.opened.get();
    if (!thread || !canAsk(thread) || question.text.trim() === '') {
      return false;
    }
    if (!old) {
      this.keepDraft(NO_TEXT);
    }
    const begun = thread.id === '' ? await this.beginFor(thread) : thread;
    const done = begun !== null && (await this.send(begun, question, old));
    const place = placeOf(begun ?? thread);
    if (!done && !old && this.draftOf(place) === NO_TEXT) {
      this.keepDraft(question, place);
    }
    return done;
  }

  /** Show another version of an exchange. */
  async show(exchange: string): Promise<void> {
    const { id } = this.opened.get();
    this.change(id, thread => withShown(thread, exchange));
    await this.tried('show', { id, exchange });
  }

  /** End what the agent does now; what came of it is told as any news. */
  async stop(): Promise<void> {
    const { thread } = this.opened.get();
    const { id = '', run_id = '' } = (thread && shownBranch(thread).at(-1)) ?? {};
    if (run_id) {
      await this.tried('stop', { run_id });
    } else {
      this.unwanted = id;
    }
  }

  /** Answer what is asked of people; false: it was not taken. */
  async answer(run_id: string, answer: Answer): Promise<boolean> {
    return (await this.tried('answer', { run_id, ...answer })) !== null;
  }

  /** Write the open thread as a notebook; "": it could not be. */
  async exportNotebook(): Promise<string> {
    const done = await this.tried('export', { id: this.opened.get().id });
    return done?.path ?? '';
  }

  tables(): Promise<readonly TableInfo[]> {
    return this.link.ask('tables', {});
  }

  files(prefix: string): Promise<readonly FileInfo[]> {
    return this.link.ask('files', { prefix });
  }

  memories(agent: ChatAgent, query: string): Promise<readonly MemoryInfo[]> {
    return this.link.ask('memories', { agent, query });
  }

  async forget(agent: ChatAgent, id: string): Promise<boolean> {
    return (await this.tried('forget', { agent, id })) !== null;
  }

  /** What is known of an agent now; null: it is not there any more. */
  infoOf(agent: ChatAgent | null): AgentInfo | null {
    const { agents } = this.lists.get();
    return agents.find(info => agent !== null && isSameAgent(info.agent, agent)) ?? null;
  }

  private async send(begun: Thread, question: Question, old: Exchange | null): Promise<boolean> {
    const id = this.world.id();
    const at = this.world.now();
    const next = old ? askedAnew(begun, old.id, question, id, at) : asked(begun, question, id, at);
    this.change(begun.id, () => next);
    const done = await this.tried('ask', {
      thread: begun.id,
      exchange: id,
      parent: next.exchanges.find(one => one.id === id)?.parent ?? null,
      ...question
    });
    if (!done) {
      this.change(begun.id, now => without(now, id));
      return false;
    }
    this.change(begun.id, now => accepted(now, id, done.run_id));
    await this.stopUnwanted(id, done.run_id);
    return true;
  }

  /** End what was to be stopped before its run was known. */
  private async stopUnwanted(exchange: string, run_id: string): Promise<void> {
    if (run_id && exchange === this.unwanted) {
      this.unwanted = '';
      await this.tried('stop', { run_id });
    }
  }

  /** Have the kernel begin an empty conversation, and stay in it unless one has left it. */
  private async beginFor(empty: Thread): Promise<Thread | null> {
    const { agent } = empty;
    const thread = await this.tried('begin', { agent });
    if (thread && this.opened.get().thread === empty) {
      const written = this.draft(); // while it began
      this.keepDraft(NO_TEXT);
      this.opened.set({ ...NOTHING, id: thread.id, agent, thread });
      this.keepDraft(written);
    }
    return thread;
  }

  private draftOf(place: string): Question {
    return this.drafts.get()[place] ?? NO_TEXT;
  }

  private hear(push: ChatPush): void {
    const { id, thread } = this.opened.get();
    if (push.push === 'exchange' && push.thread === id) {
      this.heard.set(push.exchange, { ...this.heard.get(push.exchange), ...newsIn(push) });
    }
    if (push.push === 'threads') {
      this.listed(push.threads);
    } else if (push.thread !== id || !thread) {
      return; // it is read when it is opened
    } else if (push.push === 'shown') {
      this.change(id, now => ({ ...now, chosen: push.chosen }));
    } else if (!thread.exchanges.some(one => one.id === push.exchange)) {
      void this.open(id); // another page asked
    } else if (push.push === 'asks') {
      const asks = { ...this.opened.get().asks, [push.exchange]: push.asks };
      this.opened.update(now => ({ ...now, asks }));
    } else {
      this.change(id, now => told(now, push.exchange, newsIn(push)));
      void this.stopUnwanted(push.exchange, push.run_id ?? '');
    }
  }

  private listed(threads: readonly ThreadInfo[]): void {
    const { id } = this.opened.get();
    const isOf = (list: readonly ThreadInfo[]): boolean => list.some(thread => thread.id === id);
    const wasThere = isOf(this.lists.get().threads);
    this.lists.update(lists => ({ ...lists, threads }));
    if (wasThere && !isOf(threads)) {
      this.left(id);
    }
  }

  /** A thread is gone: if it was open, its agent can be asked anew. */
  private left(id: string): void {
    const { id: open, agent } = this.opened.get();
    if (open === id) {
      this.begin(agent ?? undefined);
    }
  }

  private change(id: string, change: (thread: Thread) => Thread): void {
    this.opened.update(now =>
      now.thread?.id === id ? { ...now, thread: change(now.thread) } : now
    );
  }

  /** Ask the kernel; null: it refused, and `fault` says why. */
  private async tried<K extends ChatVerb>(
    verb: K,
    args: ChatVerbs[K]['arguments']
  ): Promise<ChatVerbs[K]['result'] | null> {
    try {
      const result = await this.link.ask(verb, args);
      this.fault.set('');
      return result;
    } catch (error) {
      this.fault.set(error instanceof Error ? error.message : String(error));
      return null;
    }
  }
}

/** The kernel has a question; what it has told of it meanwhile stands. */
function accepted(thread: Thread, id: string, run_id: string): Thread {
  const found = thread.exchanges.find(one => one.id === id);
  if (!found || found.run_id) {
    return thread;
  }
  return told(thread, id, { state: found.state === 'sending' ? 'working' : found.state, run_id });
}

function placeOf({ id, agent }: Pick<Opened, 'id' | 'agent'>): string {
  return id || (agent ? agentKey(agent) : '');
}

/** A thread as it was read; what was told meanwhile to have ended has ended. */
function caughtUp(
  { thread, asks }: ChatVerbs['thread']['result'],
  heard: ReadonlyMap<string, Partial<ExchangeNews>>
): ChatVerbs['thread']['result'] {
  const ended = [...heard].filter(([, { state }]) => state && !isOpen({ state }));
  const unasked = Object.fromEntries(ended.map(([id]) => [id, []]));
  return {
    thread: ended.reduce((now, [id, news]) => told(now, id, news), thread),
    asks: { ...asks, ...unasked }
  };
}

const NEWS = ['state', 'run_id', 'trace', 'fault'] as const;

/** What a push tells anew of an exchange. */
function newsIn(push: Partial<ExchangeNews>): Partial<ExchangeNews> {
  return Object.fromEntries(NEWS.flatMap(name => (name in push ? [[name, push[name]]] : [])));
}
