/**
 * Conversations with an agent. A thread is a tree of exchanges, since what was asked may be written
 * anew and sent again: one branch of it is shown, and the others stay. All of it is plain data, and
 * every change gives a new thread.
 */

/** Who answers: a node of a flow, or an agent of the kernel by the name that people use. */
export type ChatAgent =
  /** `flow`: the flow's file in the workspace. */
  | { readonly kind: 'node'; readonly flow: string; readonly path: string }
  | { readonly kind: 'kernel'; readonly name: string };

/** What goes with a question. */
export type Attachment =
  /** A variable of the notebook; `sql` sees it under its name. */
  | { readonly kind: 'table'; readonly name: string }
  /** `data` is base64. */
  | {
      readonly kind: 'image';
      readonly name: string;
      readonly media_type: string;
      readonly data: string;
    }
  /** A file of the workspace. */
  | { readonly kind: 'file'; readonly path: string };

export interface Question {
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

/** `sending`: nobody has it yet; `working`: the agent has. */
export type ExchangeState = 'sending' | 'working' | 'done' | 'stopped' | 'failed';

/** A question and what came of it. */
export interface Exchange extends Question {
  readonly id: string;
  /** The exchange that it goes on from; null: it begins the thread. */
  readonly parent: string | null;
  /** Seconds since the Unix epoch. */
  readonly sent_at: number;
  readonly state: ExchangeState;
  /** The run that answers; "" before it is known. */
  readonly run_id: string;
  /** The `agent-trace/1` as outputs have it; "" before there is one. */
  readonly trace: string;
  /** Why there is no answer, in a sentence. */
  readonly fault: string;
}

/** What changes in an exchange while it is answered. */
export type ExchangeNews = Pick<Exchange, 'state' | 'run_id' | 'trace' | 'fault'>;

export interface Thread {
  readonly id: string;
  readonly agent: ChatAgent;
  /** What people call it; "" shows the first question. */
  readonly title: string;
  /** Seconds since the Unix epoch. */
  readonly created_at: number;
  readonly exchanges: readonly Exchange[];
  /** Which exchange is shown after another one; after "", which one begins. Else it is the newest. */
  readonly chosen: Readonly<Record<string, string>>;
}

/** Characters of a thread's name that is made of its first question. */
const TITLE = 60;

/** A thread in which nothing was said. */
export function newThread(id: string, agent: ChatAgent, at: number): Thread {
  return { id, agent, title: '', created_at: at, exchanges: [], chosen: {} };
}

/** The exchanges that are shown, from the first question on. */
export function shownBranch(thread: Thread): readonly Exchange[] {
  const made: Exchange[] = [];
  let next = shownAfter(thread, null);
  // A file that somebody wrote may have two exchanges of one name, which would go round.
  while (next && made.length < thread.exchanges.length) {
    made.push(next);
    next = shownAfter(thread, next.id);
  }
  return made;
}

/** The exchange and its other versions, oldest first: the same place, asked otherwise. */
export function versionsOf({ exchanges }: Thread, exchange: Exchange): readonly Exchange[] {
  return exchanges.filter(({ parent }) => parent === exchange.parent);
}

/** Whether something can be asked: nothing is while the agent works. */
export function canAsk(thread: Thread): boolean {
  const last = shownBranch(thread).at(-1);
  return last === undefined || !isOpen(last);
}

export function isOpen({ state }: Pick<Exchange, 'state'>): boolean {
  return state === 'sending' || state === 'working';
}

/** Ask at the end of what is shown. */
export function asked(thread: Thread, question: Question, id: string, at: number): Thread {
  return added(thread, question, id, shownBranch(thread).at(-1)?.id ?? null, at);
}

/** Ask once more in place of an exchange; the old one and what follows on it stay beside. */
export function askedAnew(
  thread: Thread,
  old: string,
  question: Question,
  id: string,
  at: number
): Thread {
  const found = find(thread, old);
  return found ? added(thread, question, id, found.parent, at) : thread;
}

/** Show a version of an exchange, with what follows on it. */
export function withShown(thread: Thread, id: string): Thread {
  const found = find(thread, id);
  return found ? { ...thread, chosen: { ...thread.chosen, [found.parent ?? '']: id } } : thread;
}

/** What is known anew of an exchange. */
export function told(thread: Thread, id: string, news: Partial<ExchangeNews>): Thread {
  const exchanges = thread.exchanges.map(one => (one.id === id ? { ...one, ...news } : one));
  return { ...thread, exchanges };
}

/** The thread without an exchange, which was refused. */
export function without(thread: Thread, id: string): Thread {
  const chosen = Object.entries(thread.chosen).filter(([, shown]) => shown !== id);
  return {
    ...thread,
    exchanges: thread.exchanges.filter(one => one.id !== id),
    chosen: Object.fromEntries(chosen)
  };
}

/** What a thread is called. */
export function titleOf(thread: Thread): string {
  const [first] = thread.exchanges;
  const line = first?.text.trim().split('\n')[0] ?? '';
  const short = line.length > TITLE ? `${line.slice(0, TITLE - 1)}…` : line;
  return thread.title || short;
}

/** Whether two name the same agent. */
export function isSameAgent(one: ChatAgent, other: ChatAgent): boolean {
  return agentKey(one) === agentKey(other);
}

/** A text that tells an agent from all others. */
export function agentKey(agent: ChatAgent): string {
  return agent.kind === 'node'
    ? JSON.stringify([agent.flow, agent.path])
    : JSON.stringify([agent.name]);
}

function added(
  thread: Thread,
  question: Question,
  id: string,
  parent: string | null,
  at: number
): Thread {
  const made: Exchange = {
    ...question,
    id,
    parent,
    sent_at: at,
    state: 'sending',
    run_id: '',
    trace: '',
    fault: ''
  };
  return withShown({ ...thread, exchanges: [...thread.exchanges, made] }, id);
}

function shownAfter({ exchanges, chosen }: Thread, parent: string | null): Exchange | undefined {
  const there = exchanges.filter(one => one.parent === parent);
  const wanted = Object.hasOwn(chosen, parent ?? '') ? chosen[parent ?? ''] : undefined;
  return there.find(({ id }) => id === wanted) ?? there.at(-1);
}

function find({ exchanges }: Thread, id: string): Exchange | undefined {
  return exchanges.find(one => one.id === id);
}
