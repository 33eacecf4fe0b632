/**
 * What an agent did, as its node shows it: `agent-trace/1`. The Python side is
 * `agents/iaiflow_agents/trace.py`. A trace may come from a file or from a stranger's node, so that
 * whatever is odd in it is left out: reading never fails.
 */
import type { Json, JsonObject } from './flow';
import { MAX_DEPTH } from './json';
import type { NodeState, Preview } from './protocol';

const KIND = 'agent-trace/1';

/** `interrupted`: it was under way when its run ended. */
export type AgentState =
  'thinking' | 'calling' | 'asking' | 'waiting' | 'done' | 'stopped' | 'failed' | 'interrupted';
export type CallState = 'asking' | 'running' | 'done' | 'failed' | 'refused' | 'interrupted';

/** Tokens; input that was read from the cache or written to it is part of `input`. */
export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cache_read: number;
  readonly cache_write: number;
}

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonObject;
  readonly state: CallState;
  readonly result: string;
  readonly seconds: number;
  /** Where the tool comes from, for people. */
  readonly source: string;
  /** Why a person is asked. */
  readonly reason: string;
  /** What an agent did that was called; null: it was another tool. */
  readonly trace: AgentTrace | null;
}

export interface Turn {
  readonly n: number;
  readonly text: string;
  readonly thinking: string;
  /** Why the model stopped, in its own word; "" while it speaks. */
  readonly stop_reason: string;
  /** The tool whose call is being written. */
  readonly calling: string;
  readonly tokens: Tokens;
  /** Null: the price is not known. */
  readonly cost: number | null;
  readonly seconds: number;
  readonly calls: readonly Call[];
}

export interface Totals extends Tokens {
  readonly steps: number;
  /** Null: the prices are not known. */
  readonly cost: number | null;
  /** ISO 4217. */
  readonly currency: string;
  readonly seconds: number;
}

/** What an agent may spend; null: no limit. */
export interface Limits {
  readonly steps: number | null;
  readonly tokens: number | null;
  readonly cost: number | null;
  readonly seconds: number | null;
}

export interface Todo {
  readonly text: string;
  readonly done: boolean;
}

export interface AgentTrace {
  readonly agent: string;
  readonly model: string;
  readonly is_scripted: boolean;
  readonly state: AgentState;
  readonly turns: readonly Turn[];
  readonly totals: Totals;
  readonly limits: Limits;
  /** Why it stopped, or what it waits for, in a sentence. */
  readonly reason: string;
  readonly plan: readonly Todo[];
  /** Whether texts were cut to keep it small. */
  readonly is_cut: boolean;
  /** Turns at its beginning that were left out. */
  readonly omitted: number;
}

const STATES: ReadonlySet<string> = new Set<AgentState>([
  'thinking',
  'calling',
  'asking',
  'waiting',
  'done',
  'stopped',
  'failed'
]);
const UNDER_WAY: ReadonlySet<AgentState> = new Set<AgentState>([
  'thinking',
  'calling',
  'asking',
  'waiting'
]);
const CALL_STATES: ReadonlySet<string> = new Set<CallState>([
  'asking',
  'running',
  'done',
  'failed',
  'refused'
]);
/** Characters of a text that is read at all. */
const LARGEST = 2_000_000;
/** Turns, calls of a turn, and items of a plan that are read. */
const MOST = 1_000;
/** How deep agents are followed that agents called. */
const DEEPEST = 5;

/** Whether an agent still works. */
export function isUnderWay(state: AgentState): boolean {
  return UNDER_WAY.has(state);
}

/** Read a trace; null: the text is none. */
export function readTrace(text: string): AgentTrace | null {
  if (text.length > LARGEST || !text.includes(`"${KIND}"`)) {
    return null;
  }
  try {
    const value: unknown = JSON.parse(text);
    return isTooDeep(value) ? null : traceFrom(value, 0);
  } catch {
    return null;
  }
}

/** Whether a value is nested deeper than anything of ours is. */
function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) {
      return true;
    }
    level = level.flatMap(item =>
      typeof item === 'object' && item !== null ? Object.values(item) : []
    );
  }
  return false;
}

function traceFrom(value: unknown, depth: number): AgentTrace | null {
  const { kind, ...data } = object(value);
  if (kind !== KIND || depth > DEEPEST) {
    return null;
  }
  const unpriced = data.is_scripted === true ? 0 : null;
  const turns = list(data.turns).map(turn => turnFrom(turn, depth, unpriced));
  return {
    agent: text(data.agent),
    model: text(data.model),
    is_scripted: data.is_scripted === true,
    state: STATES.has(text(data.state)) ? (data.state as AgentState) : 'interrupted',
    turns,
    totals: totalsFrom(object(data.totals), turns),
    limits: limitsFrom(object(data.limits)),
    reason: text(data.reason),
    plan: list(data.plan).map(item => {
      const { text: said, done } = object(item);
      return { text: text(said), done: done === true };
    }),
    is_cut: data.is_cut === true,
    omitted: Math.floor(amount(data.omitted))
  };
}

/** `unpriced`: what a turn without a price costs; a script costs nothing. */
function turnFrom(value: unknown, depth: number, unpriced: number | null): Turn {
  const data = object(value);
  return {
    n: Math.floor(amount(data.n)),
    text: text(data.text),
    thinking: text(data.thinking),
    stop_reason: text(data.stop_reason),
    calling: text(data.calling),
    tokens: tokensOfUsage(object(data.usage)),
    cost: amountOrNull(data.cost) ?? unpriced,
    seconds: amount(data.seconds),
    calls: list(data.calls).map(call => callFrom(call, depth))
  };
}

function callFrom(value: unknown, depth: number): Call {
  const data = object(value);
  return {
    id: text(data.id),
    name: text(data.name),
    arguments: object(data.arguments) as JsonObject,
    state: CALL_STATES.has(text(data.state)) ? (data.state as CallState) : 'interrupted',
    result: text(data.result),
    seconds: amount(data.seconds),
    source: text(data.source),
    reason: text(data.reason),
    trace: traceFrom(data.trace, depth + 1)
  };
}

/** The tokens of a turn: there, `input` is what the cache had no part in. */
function tokensOfUsage(usage: Data): Tokens {
  const cache_write = amount(usage.cache_write_5m) + amount(usage.cache_write_1h);
  const cache_read = amount(usage.cache_read);
  return {
    input: amount(usage.input) + cache_write + cache_read,
    output: amount(usage.output),
    cache_read,
    cache_write
  };
}

/** The totals as they are told; where a short form left them out, those of the turns. */
function totalsFrom(data: Data, turns: readonly Turn[]): Totals {
  const summed = sumOf(turns);
  if (Object.keys(data).length === 0) {
    return summed;
  }
  const cost = data.cost === null ? null : amount(data.cost);
  return {
    steps: amount(data.steps),
    input: amount(data.input),
    output: amount(data.output),
    cache_read: amount(data.cache_read),
    cache_write: amount(data.cache_write),
    cost: cost === 0 && summed.cost === null ? null : cost,
    currency: /^[A-Z]{3}$/.test(text(data.currency)) ? text(data.currency) : 'USD',
    seconds: amount(data.seconds)
  };
}

/** What turns took together; the cost is null when answers were paid for at unknown prices only. */
export function sumOf(turns: readonly Turn[]): Totals {
  const sum = (of: (turn: Turn) => number): number =>
    turns.reduce((total, turn) => total + of(turn), 0);
  const ended = turns.filter(turn => tokenCount(turn.tokens) > 0);
  return {
    steps: ended.length,
    input: sum(turn => turn.tokens.input),
    output: sum(turn => turn.tokens.output),
    cache_read: sum(turn => turn.tokens.cache_read),
    cache_write: sum(turn => turn.tokens.cache_write),
    cost:
      ended.length > 0 && ended.every(turn => turn.cost === null)
        ? null
        : sum(turn => turn.cost ?? 0),
    currency: 'USD',
    seconds: sum(turn => turn.seconds)
  };
}

function limitsFrom(data: Data): Limits {
  const limit = (value: unknown): number | null => amount(value) || null;
  return {
    steps: limit(data.steps),
    tokens: limit(data.tokens),
    cost: limit(data.cost),
    seconds: limit(data.seconds)
  };
}

/** All tokens, read and written. */
export function tokenCount({ input, output }: Tokens): number {
  return input + output;
}

/** The part of what was read that came from the cache, from 0 to 1. */
export function cacheShare({ input, cache_read }: Tokens): number {
  return input > 0 ? Math.min(1, cache_read / input) : 0;
}

export interface Gauge {
  readonly name: keyof Limits;
  readonly used: number;
  readonly limit: number;
  /** From 0 to 1. */
  readonly share: number;
}

/** How far each limit is used. */
export function gauges({ totals, limits }: AgentTrace): readonly Gauge[] {
  const used: Record<keyof Limits, number> = {
    steps: totals.steps,
    tokens: tokenCount(totals),
    cost: totals.cost ?? 0,
    seconds: totals.seconds
  };
  return (Object.keys(used) as (keyof Limits)[]).flatMap(name => {
    const limit = limits[name];
    const share = limit === null ? 0 : Math.min(1, used[name] / limit);
    return limit === null ? [] : [{ name, used: used[name], limit, share }];
  });
}

/** What the agent says now, or said last: its words, or while there are none its thoughts. */
export function lastWords({ turns }: AgentTrace): {
  readonly text: string;
  readonly isThought: boolean;
} {
  const last = turns.at(-1);
  if (last && !last.text && last.thinking) {
    return { text: last.thinking, isThought: true };
  }
  const said = turns.filter(turn => turn.text !== '').at(-1);
  return { text: said?.text ?? '', isThought: false };
}

/** All calls of the agent itself, in their order. */
export function callsOf({ turns }: AgentTrace): readonly Call[] {
  return turns.flatMap(turn => turn.calls);
}

/** The trace as it is when nothing of it goes on any more. */
export function interrupted(trace: AgentTrace): AgentTrace {
  return {
    ...trace,
    state: isUnderWay(trace.state) ? 'interrupted' : trace.state,
    turns: trace.turns.map(turn => ({ ...turn, calls: turn.calls.map(interruptedCall) }))
  };
}

function interruptedCall(call: Call): Call {
  const goesOn = call.state === 'running' || call.state === 'asking';
  const state = goesOn ? 'interrupted' : call.state;
  return { ...call, state, trace: call.trace && interrupted(call.trace) };
}

/** The new trace with those parts of the old one that are the same, so that they are not drawn. */
export function kept<T>(before: unknown, now: T): T {
  if (Object.is(before, now) || typeof now !== 'object' || now === null) {
    return now;
  }
  if (typeof before !== 'object' || before === null) {
    return now;
  }
  if (Array.isArray(now)) {
    const old: readonly unknown[] = Array.isArray(before) ? before : [];
    const made = now.map((item: unknown, index) => kept(old[index], item));
    const isSame = old.length === made.length && made.every((item, index) => item === old[index]);
    return (isSame && Array.isArray(before) ? before : made) as T;
  }
  const old = before as Data;
  const keys = Object.keys(now);
  const made = Object.fromEntries(
    keys.map(key => [key, kept(own(old, key), (now as Data)[key])])
  ) as Data;
  const isSame =
    !Array.isArray(before) &&
    Object.keys(old).length === keys.length &&
    keys.every(key => Object.hasOwn(old, key) && made[key] === old[key]);
  return (isSame ? before : made) as T;
}

function own(data: Data, key: string): unknown {
  return Object.hasOwn(data, key) ? data[key] : undefined;
}

/**
 * Reads the texts of one trace that goes on. Parts that stay the same are the same objects, so that
 * only what changed is drawn.
 */
export function traceReader(): (text: string, live: boolean) => AgentTrace | null {
  let last: AgentTrace | null = null;
  return (text, live) => {
    const read = readTrace(text);
    last = read && kept(last, live ? read : interrupted(read));
    return last;
  };
}

/** Ports of an agent whose values its trace tells as well. */
const TOLD: ReadonlySet<string> = new Set(['text', 'messages', 'stopped', 'usage']);

/** The output that is a trace; null: none is. */
export function tracePort(outputs: NodeState['outputs']): string | null {
  const found = Object.entries(outputs).find(([, preview]) => traceText(preview) !== null);
  return found ? found[0] : null;
}

/** The text of an output that is a trace; null: it is none. */
export function traceText(preview: Preview | undefined): string | null {
  if (preview?.kind !== 'json' || !preview.text.includes(`"${KIND}"`)) {
    return null;
  }
  return named(preview) ? preview.text : null;
}

const known = new WeakMap<Preview, boolean>();

/** Whether the text itself is a trace, and not something that has one in it. */
function named(preview: Preview & { readonly kind: 'json' }): boolean {
  const remembered = known.get(preview);
  const is = remembered ?? readTrace(preview.text) !== null;
  known.set(preview, is);
  return is;
}

/**
 * The ports to show on a node's face: an agent's trace says what its other outputs do, and of a node
 * that failed it tells how far it came.
 */
export function shownPorts(outputs: NodeState['outputs'], failed = false): readonly string[] {
  const trace = tracePort(outputs);
  if (failed) {
    return trace === null ? [] : [trace];
  }
  const ports = Object.keys(outputs);
  return trace === null ? ports : ports.filter(port => !TOLD.has(port));
}

/** Arguments in one line: `query: select 1, limit: 5`. */
export function inShort(value: JsonObject, length: number): string {
  let made = '';
  for (const [name, item] of Object.entries(value)) {
    const said = typeof item === 'string' ? item : spelled(item);
    made += `${made && ', '}${name}: ${said.slice(0, length).replace(/\s+/g, ' ').trim()}`;
    if (made.length > length) {
      return `${made.slice(0, length - 1)}…`;
    }
  }
  return made;
}

function spelled(item: Json | undefined): string {
  return item === undefined ? '' : JSON.stringify(item);
}

/** A number of tokens: `812`, `3,412`, `12.3K`. */
export function tokenText(count: number, language: string): string {
  const format: Intl.NumberFormatOptions =
    count < 10_000
      ? { maximumFractionDigits: 0 }
      : { notation: 'compact', maximumFractionDigits: 1 };
  return new Intl.NumberFormat(language, format).format(count);
}

/** An amount of money; less than a cent is told to a hundredth of it. */
export function costText(cost: number, currency: string, language: string): string {
  const digits = cost > 0 && cost < 0.1 ? 4 : 2;
  const least = 0.0001;
  const text = new Intl.NumberFormat(language, {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits
  }).format(cost > 0 ? Math.max(cost, least) : 0);
  return cost > 0 && cost < least ? `< ${text}` : text;
}

/** A share: `37%`. */
export function shareText(share: number, language: string): string {
  return new Intl.NumberFormat(language, { style: 'percent' }).format(share);
}

type Data = Readonly<Record<string, unknown>>;

function object(value: unknown): Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Data)
    : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, MOST) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function amount(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}

function amountOrNull(value: unknown): number | null {
  return typeof value === 'number' ? amount(value) : null;
}
