/** What is said of agents, for people. */
import type { AgentState, AgentTrace, CallState, Gauge } from '../../core/agentTrace';
import { callsOf, costText, tokenText } from '../../core/agentTrace';
import { duration } from '../../core/format';
import type { Trans } from '../../core/i18n';
import { visible } from '../../core/text';

export const GLYPHS: Readonly<Record<AgentState | CallState, string>> = {
  thinking: '◔',
  calling: '◔',
  running: '◔',
  asking: '?',
  waiting: '◷',
  done: '✓',
  stopped: '■',
  failed: '✕',
  refused: '⊘',
  interrupted: '■'
};

/** How far an agent is; its model thinks until the first word of an answer. */
export function progressText(trans: Trans, { state, turns }: AgentTrace): string {
  const last = turns.at(-1);
  const writes = state === 'thinking' && !!last?.text && !last.stop_reason;
  return writes ? trans('Writing') : agentStateText(trans, state);
}

export function agentStateText(trans: Trans, state: AgentState): string {
  const words: Record<AgentState, string> = {
    thinking: trans('Thinking'),
    calling: trans('Calling tools'),
    asking: trans('Asks you'),
    waiting: trans('Waiting'),
    done: trans('Done'),
    stopped: trans('Stopped'),
    failed: trans('Failed'),
    interrupted: trans('Interrupted')
  };
  return words[state];
}

export function callStateText(trans: Trans, state: CallState): string {
  const words: Record<CallState, string> = {
    asking: trans('Asks you'),
    running: trans('Running'),
    done: trans('Done'),
    failed: trans('Failed'),
    refused: trans('Refused'),
    interrupted: trans('Interrupted')
  };
  return words[state];
}

export function gaugeName(trans: Trans, name: Gauge['name']): string {
  const words: Record<Gauge['name'], string> = {
    steps: trans('Steps'),
    tokens: trans('Tokens'),
    cost: trans('Cost'),
    seconds: trans('Time')
  };
  return words[name];
}

/** An amount of what a limit is of. */
export function gaugeAmount(
  name: Gauge['name'],
  amount: number,
  currency: string,
  language: string
): string {
  switch (name) {
    case 'cost':
      return costText(amount, currency, language);
    case 'seconds':
      return duration(amount);
    default:
      return tokenText(amount, language);
  }
}

/** Marks of Markdown, and what stands in their place where there is no room for a look of their own. */
const MARKS: readonly (readonly [RegExp, string])[] = [
  [/^ {0,3}(?:#{1,6} |> ?|```.*\n?|(?=[ :|]*-)(?=[ :-]*\|)[ :|-]+$\n?)/gm, ''],
  [/!?\[([^\]\n]*)\]\([^)\n]*\)/g, '$1'],
  [/\*\*|__|`/g, ''],
  [/\n{2,}/g, '\n']
];

/** Markdown as plain words, for a few lines of it. */
export function plainWords(markdown: string): string {
  return MARKS.reduce((text, [mark, instead]) => text.replace(mark, instead), markdown);
}

/**
 * What is said aloud between two states of an agent: calls that began, ended or need an answer, and
 * its end. What it says word by word is not.
 */
export function agentNews(trans: Trans, before: AgentTrace | null, now: AgentTrace): string {
  if (before === null || before === now) {
    return '';
  }
  const old = new Map(callsOf(before).map(call => [call.id, call.state]));
  const news = callsOf(now)
    .filter(call => old.get(call.id) !== call.state)
    .map(call => `${visible(call.name)}: ${callStateText(trans, call.state)}`);
  if (before.state !== now.state && ENDS.has(now.state)) {
    news.push([agentStateText(trans, now.state), visible(now.reason)].filter(Boolean).join('. '));
  }
  return news.slice(-MOST).join('; ');
}

const ENDS: ReadonlySet<AgentState> = new Set<AgentState>([
  'done',
  'stopped',
  'failed',
  'waiting',
  'interrupted'
]);
/** Changes that are said at once. */
const MOST = 4;
