/** An agent on the face of its node: what it says now, its calls in a line each, what it took. */
import { memo } from 'react';
import { callsOf, inShort, lastWords, type AgentTrace, type Call } from '../../core/agentTrace';
import { duration } from '../../core/format';
import type { Services } from '../../core/services';
import { shorten, visible } from '../../core/text';
import { Head } from './Head';
import { Limits, Totals } from './Totals';
import { GLYPHS, callStateText, plainWords } from './words';

interface Props {
  readonly trace: AgentTrace;
  readonly services: Services;
  readonly label: string;
  readonly onStop?: () => void;
}

/** Characters of what it says that are shown: the newest. */
const WORDS = 120;
/** Characters at its end that are read for them. */
const READ = 1_000;
/** Newest calls that are shown. */
const CALLS = 3;
const LINE = 120;
const NAME = 60;

export function AgentFace({ trace, services, label, onStop }: Props) {
  const { trans } = services;
  const { text, isThought } = lastWords(trace);
  const calls = callsOf(trace);
  const earlier = Math.max(0, calls.length - CALLS);
  const writing = trace.turns.at(-1)?.calling ?? '';
  return (
    <div className="iai-agent iai-agent-face" role="group" aria-label={label}>
      <Head trace={trace} services={services} onStop={onStop} />
      {text && (
        <p className="iai-agent-words" data-thought={isThought || undefined}>
          {visible(ending(isThought ? text : plainWords(text.slice(-READ))))}
        </p>
      )}
      {(calls.length > 0 || writing) && (
        <ul className="iai-agent-calls" aria-label={trans('Calls of tools')}>
          {earlier > 0 && (
            <li className="iai-muted">{trans('Earlier calls: {count}', { count: earlier })}</li>
          )}
          {calls.slice(-CALLS).map((call, index) => (
            <CallLine key={call.id || index} call={call} services={services} />
          ))}
          {writing && (
            <li className="iai-muted">
              {trans('Writes a call of {tool}…', { tool: visible(shorten(writing, NAME)) })}
            </li>
          )}
        </ul>
      )}
      {trace.reason && <p className="iai-agent-reason">{visible(trace.reason)}</p>}
      <Totals trace={trace} services={services} />
      <Limits trace={trace} services={services} brief />
    </div>
  );
}

interface LineProps {
  readonly call: Call;
  readonly services: Services;
}

const CallLine = memo(function CallLine({ call, services }: LineProps) {
  const state = callStateText(services.trans, call.state);
  return (
    <li className="iai-agent-line" data-state={call.state} title={state}>
      <span className="iai-agent-glyph" role="img" aria-label={state}>
        {GLYPHS[call.state]}
      </span>
      <bdi className="iai-agent-tool">{visible(shorten(call.name, NAME))}</bdi>
      <bdi className="iai-agent-arguments">{visible(inShort(call.arguments, LINE))}</bdi>
      {call.seconds > 0 && <span className="iai-agent-time">{duration(call.seconds)}</span>}
    </li>
  );
});

/** The end of a text, from the beginning of a line or word where there is one. */
function ending(text: string): string {
  const trimmed = text.trimEnd();
  if (trimmed.length <= WORDS) {
    return trimmed;
  }
  const tail = trimmed.slice(-WORDS);
  const start = /\s/.exec(tail.slice(0, WORDS / 4))?.index ?? -1;
  return `…${tail.slice(start + 1)}`;
}
