/** All that an agent did: its turns with every call, its plan, its limits, why it stopped. */
import { memo, useEffect, useRef, useState, type ReactNode } from 'react';
import { type AgentTrace, type Todo, type Turn } from '../../core/agentTrace';
import type { Services } from '../../core/services';
import { visible } from '../../core/text';
import { Markdown } from '../outputs/Markdown';
import { CallRow } from './CallRow';
import { Fold } from './Fold';
import { Head } from './Head';
import { Limits, Took, Totals } from './Totals';
import { agentNews } from './words';

interface Props {
  readonly trace: AgentTrace;
  readonly services: Services;
  readonly label: string;
  readonly onStop?: () => void;
  /** The conversation or the trace as it is, shown when one opens it. */
  readonly raw?: ReactNode;
  /** Whether it belongs to a call of another agent, which tells its news. */
  readonly isInner?: boolean;
}

export function AgentWhole({ trace, services, label, onStop, raw, isInner = false }: Props) {
  const { trans } = services;
  return (
    <div className="iai-agent iai-agent-whole" role="group" aria-label={label}>
      <Head trace={trace} services={services} onStop={onStop} />
      {!isInner && <News trace={trace} services={services} />}
      {trace.reason && <p className="iai-agent-reason">{visible(trace.reason)}</p>}
      <Totals trace={trace} services={services} />
      <Limits trace={trace} services={services} />
      <Plan plan={trace.plan} services={services} />
      {trace.omitted > 0 && (
        <p className="iai-muted">
          {trans('Earlier turns that are left out here: {count}', { count: trace.omitted })}
        </p>
      )}
      <ol className="iai-agent-turns">
        {trace.turns.map((turn, index) => (
          <TurnItem
            key={trace.omitted + index}
            turn={turn}
            currency={trace.totals.currency}
            services={services}
          />
        ))}
      </ol>
      {trace.is_cut && <p className="iai-muted">{trans('Long texts are cut here.')}</p>}
      {raw}
    </div>
  );
}

/** Tells those who hear the page of calls and of the end, not of every word. */
function News({ trace, services }: Pick<Props, 'trace' | 'services'>) {
  const last = useRef<AgentTrace | null>(null);
  const [said, setSaid] = useState('');
  useEffect(() => {
    const news = agentNews(services.trans, last.current, trace);
    last.current = trace;
    if (news) {
      setSaid(news);
    }
  }, [trace, services]);
  return (
    <p className="iai-hidden" role="status" aria-live="polite">
      {said}
    </p>
  );
}

interface PlanProps {
  readonly plan: readonly Todo[];
  readonly services: Services;
}

function Plan({ plan, services }: PlanProps) {
  const { trans } = services;
  return plan.length > 0 ? (
    <div className="iai-agent-plan">
      <h3>{trans('Plan')}</h3>
      <ul>
        {plan.map(({ text, done }, index) => (
          <li key={index} data-done={done || undefined}>
            <span role="img" aria-label={done ? trans('Done') : trans('To do')}>
              {done ? '✓' : '○'}
            </span>{' '}
            <bdi>{visible(text)}</bdi>
          </li>
        ))}
      </ul>
    </div>
  ) : null;
}

interface TurnProps {
  readonly turn: Turn;
  readonly currency: string;
  readonly services: Services;
}

const TurnItem = memo(function TurnItem({ turn, currency, services }: TurnProps) {
  const { trans } = services;
  const { n, text, thinking, calling, calls, tokens, cost, seconds } = turn;
  // What is thought now is read along; afterwards it makes room for what came of it.
  const isThinking = !turn.stop_reason && !text && !calling && calls.length === 0;
  return (
    <li className="iai-agent-turn">
      <div className="iai-agent-turn-head">
        <span>{trans('Turn {n}', { n })}</span>
        {turn.stop_reason && <StopReason reason={turn.stop_reason} services={services} />}
        <Took {...tokens} {...{ cost, currency, seconds, services }} />
      </div>
      {isThinking ? (
        <Thought text={thinking} />
      ) : (
        thinking && (
          <Fold summary={trans('Thinking')}>
            <Thought text={thinking} />
          </Fold>
        )
      )}
      {text && <Markdown text={text} services={services} />}
      {calling && (
        <p className="iai-muted">{trans('Writes a call of {tool}…', { tool: visible(calling) })}</p>
      )}
      {calls.map((call, index) => (
        <CallRow key={call.id || index} call={call} services={services} renderAgent={renderInner} />
      ))}
    </li>
  );
});

function Thought({ text }: { readonly text: string }) {
  return text ? (
    <p className="iai-agent-words" data-thought>
      {visible(text)}
    </p>
  ) : null;
}

/** An agent that was called, inside of the call. */
export function renderInner(trace: AgentTrace, services: Services): ReactNode {
  const label = services.trans('Agent {name}', { name: visible(trace.agent) });
  return <AgentWhole trace={trace} services={services} label={label} isInner />;
}

/** How answers usually end; another end is worth a word. */
const USUAL: ReadonlySet<string> = new Set(['end_turn', 'stop_sequence', 'tool_use']);

interface ReasonProps {
  readonly reason: string;
  readonly services: Services;
}

function StopReason({ reason, services: { trans } }: ReasonProps) {
  if (USUAL.has(reason)) {
    return null;
  }
  const words: Readonly<Record<string, string>> = {
    max_tokens: trans('cut off: too long'),
    model_context_window_exceeded: trans('cut off: the model can read no more'),
    pause_turn: trans('paused'),
    refusal: trans('refused to answer')
  };
  return (
    <span className="iai-badge">
      {Object.hasOwn(words, reason) ? words[reason] : visible(reason)}
    </span>
  );
}
