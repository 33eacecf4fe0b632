/** What came of a question: what the agent says, its calls in a row each, and how it ended. */
import { memo, useMemo, useState } from 'react';
import { traceReader, type AgentTrace, type Turn } from '../../core/agentTrace';
import type { Exchange } from '../../core/chat';
import { visible } from '../../core/text';
import { AgentWhole, renderInner } from '../agent/AgentWhole';
import { CallRow } from '../agent/CallRow';
import { Fold } from '../agent/Fold';
import { Totals } from '../agent/Totals';
import { GLYPHS } from '../agent/words';
import { Markdown } from '../outputs/Markdown';
import { useChat } from './context';
import { exchangeStateText } from './words';

interface Props {
  readonly exchange: Exchange;
  /** Whether the kernel still works on it. */
  readonly live: boolean;
}

export function Answer({ exchange, live }: Props) {
  const { services, trans } = useChat();
  const [read] = useState(traceReader);
  const { trace: text, state, fault } = exchange;
  const trace = useMemo(() => (text ? read(text, live) : null), [read, text, live]);
  const reason = fault || (state === 'done' ? '' : (trace?.reason ?? ''));
  return (
    <div className="iai-chat-answer" aria-busy={live}>
      {trace && trace.omitted > 0 && (
        <p className="iai-muted">
          {trans('Earlier turns that are left out here: {count}', { count: trace.omitted })}
        </p>
      )}
      {trace?.turns.map((turn, at) => (
        <TurnPart
          key={trace.omitted + at}
          turn={turn}
          isNow={live && at === trace.turns.length - 1}
        />
      ))}
      {(state === 'stopped' || state === 'failed') && (
        <p className="iai-chat-end" data-state={state}>
          <span aria-hidden="true">{GLYPHS[state]} </span>
          {exchangeStateText(trans, state)}
          {reason && <>. {visible(reason)}</>}
        </p>
      )}
      {live && <p className="iai-chat-working">{workingText(trans, trace)}</p>}
      {trace && !live && (
        <div className="iai-chat-foot">
          <Totals trace={trace} services={services} />
          <Fold summary={trans('Details')}>
            <AgentWhole trace={trace} services={services} label={trans('Details')} isInner />
          </Fold>
        </div>
      )}
    </div>
  );
}

function workingText(trans: ReturnType<typeof useChat>['trans'], trace: AgentTrace | null): string {
  const calling = trace?.turns.at(-1)?.calling;
  if (calling) {
    return trans('Writes a call of {tool}…', { tool: visible(calling) });
  }
  return trace?.state === 'asking' || trace?.state === 'waiting'
    ? trans('Waits for an answer…')
    : trans('Works…');
}

interface TurnProps {
  readonly turn: Turn;
  /** Whether it is the one that goes on. */
  readonly isNow: boolean;
}

const TurnPart = memo(function TurnPart({ turn, isNow }: TurnProps) {
  const { services, trans } = useChat();
  const { text, thinking, calls } = turn;
  const thought = (
    <p className="iai-agent-words" data-thought>
      {visible(thinking)}
    </p>
  );
  return (
    <>
      {thinking &&
        (isNow && !text && calls.length === 0 ? (
          thought
        ) : (
          <Fold summary={trans('Thinking')}>{thought}</Fold>
        ))}
      {text && <Markdown text={text} services={services} />}
      {calls.map((call, at) => (
        <CallRow key={call.id || at} call={call} services={services} renderAgent={renderInner} />
      ))}
    </>
  );
});
