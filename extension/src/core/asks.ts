/**
 * Questions of agents: whether a tool may be called, told by the `x-call` of a wait's form. The
 * Python side is `agents/iaiflow_agents/gate.py`.
 */
import type { Json, JsonObject } from './flow';
import { parseJson, spotOf } from './json';
import type { Trans } from './messages';
import type { NodeState, Requests, Wait } from './protocol';
import { visible } from './text';

/** What is asked about one call. */
export interface Ask {
  /** The step that waits, and which of its waits this is. */
  readonly step: string;
  readonly key: string;
  readonly tool: string;
  /** Where the tool comes from, for people. */
  readonly source: string;
  readonly effects: 'none' | 'read' | 'write' | '';
  /** Whether it may carry data out. */
  readonly sends: boolean;
  /** Why somebody is asked. */
  readonly why: string;
  readonly arguments: JsonObject;
}

export type Decision =
  | { readonly decision: 'allow' }
  | { readonly decision: 'change'; readonly arguments: JsonObject }
  | { readonly decision: 'refuse'; readonly reason: string };

/** A wait of the canvas, or one of the service. */
export type Asking = Pick<Wait, 'step' | 'kind' | 'form' | 'key'>;

const EFFECTS: ReadonlySet<string> = new Set(['none', 'read', 'write']);

/** The question that a wait is; null: it is another one. */
export function askOf({ step, key, kind, form }: Asking): Ask | null {
  const call = object(form?.['x-call']);
  if (kind !== 'approval' || typeof call.tool !== 'string') {
    return null;
  }
  return {
    step,
    key,
    tool: call.tool,
    source: text(call.source),
    effects: EFFECTS.has(text(call.effects)) ? (call.effects as Ask['effects']) : '',
    sends: call.sends === true,
    why: text(call.why),
    arguments: object(object(object(form?.properties).arguments).default)
  };
}

type Waits = Pick<NodeState, 'wait' | 'more_waits'>;

/** Everything that a node waits for and is told of, the first one first. */
export function waitsOf({ wait, more_waits }: Waits): readonly Wait[] {
  return wait === null ? [] : [wait, ...more_waits];
}

/** What agents ask of people at a node. */
export function asksOf(state: Waits): readonly Ask[] {
  return state.wait === null ? NO_ASKS : waitsOf(state).flatMap(wait => askOf(wait) ?? []);
}

const NO_ASKS: readonly Ask[] = [];

/** What is said aloud of questions; "" when there are none. */
export function askNews(trans: Trans, asks: readonly Ask[]): string {
  return asks
    .slice(0, SAID)
    .map(ask => askSaid(trans, ask))
    .join(' ');
}

/** The same, of waits of any kind. */
export function waitNews(trans: Trans, waits: readonly Wait[]): string {
  return waits
    .slice(0, SAID)
    .map(wait => {
      const ask = askOf(wait);
      const step = visible(wait.step);
      return ask
        ? askSaid(trans, ask)
        : trans('{step} asks: {message}', { step, message: waitSaid(trans, wait) });
    })
    .join(' ');
}

/** What is asked, in the step's own words if it has some. */
export function waitSaid(trans: Trans, wait: Wait): string {
  if (wait.message) {
    return visible(wait.message);
  }
  return wait.name ? trans('Waits for {name}', { name: visible(wait.name) }) : trans('Waiting');
}

function askSaid(trans: Trans, { step, tool }: Ask): string {
  return trans('{step} asks: may {tool} be called?', { step: visible(step), tool: visible(tool) });
}

/** Questions that are said at once. */
const SAID = 3;

/** How an answer names what it answers: a step may wait for several things. */
export function addressOf({ step, key }: Pick<Wait, 'step' | 'key'>): string {
  return key ? `${step}#${key}` : step;
}

export type Answer = Requests['answer']['arguments'];

/** The answer to a question, as the kernel and the service take it. */
export function answerOf(ask: Ask, decision: Decision): Answer {
  const isRefusal = decision.decision === 'refuse';
  return {
    step: addressOf(ask),
    outcome: isRefusal ? 'refused' : 'approved',
    value: isRefusal ? null : { ...decision },
    reason: isRefusal ? decision.reason.trim() : ''
  };
}

/** Arguments that a person wrote as JSON, or a sentence why they are none. */
export function readArguments(
  trans: Trans,
  written: string
): { readonly value: JsonObject } | { readonly fault: string } {
  let value: Json;
  try {
    value = parseJson(written);
  } catch (error) {
    return { fault: trans('This is not JSON: {reason}', { reason: spotOf(error) }) };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { fault: trans('Arguments are a JSON object, with a name for each.') };
  }
  return isInexact(value)
    ? { fault: trans('A whole number is too large to be sent from here as it is.') }
    : { value: value as JsonObject };
}

/** Whether a number is larger than what is exact here. */
function isInexact(value: Json): boolean {
  if (typeof value === 'number') {
    return Number.isInteger(value) && !Number.isSafeInteger(value);
  }
  return typeof value === 'object' && value !== null && Object.values(value).some(isInexact);
}

function object(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
