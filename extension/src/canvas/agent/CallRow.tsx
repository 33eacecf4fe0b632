/** One call of a tool: a line that opens to its arguments and its result. */
import { memo, useMemo, type ReactNode } from 'react';
import { inShort, type AgentTrace, type Call } from '../../core/agentTrace';
import { duration } from '../../core/format';
import type { Services } from '../../core/services';
import { shorten, visible } from '../../core/text';
import { JsonTree } from '../outputs/JsonTree';
import { LogView } from '../outputs/LogView';
import { Fold } from './Fold';
import { Took } from './Totals';
import { GLYPHS, callStateText } from './words';

interface Props {
  readonly call: Call;
  readonly services: Services;
  /** Draws the agent that was called. */
  readonly renderAgent: (trace: AgentTrace, services: Services) => ReactNode;
}

const NAME = 80;
const LINE = 160;

export const CallRow = memo(function CallRow({ call, services, renderAgent }: Props) {
  return (
    <Fold className="iai-agent-call" summary={<CallSummary call={call} services={services} />}>
      <CallDetails call={call} services={services} renderAgent={renderAgent} />
    </Fold>
  );
});

function CallSummary({ call, services }: Pick<Props, 'call' | 'services'>) {
  const { name, state, seconds, trace } = call;
  const word = callStateText(services.trans, state);
  return (
    <span className="iai-agent-line" data-state={state}>
      <span className="iai-agent-glyph" aria-hidden="true">
        {GLYPHS[state]}
      </span>
      <bdi className="iai-agent-tool">{visible(shorten(name, NAME))}</bdi>
      <bdi className="iai-agent-arguments">{visible(inShort(call.arguments, LINE))}</bdi>
      <span className="iai-agent-time">{seconds > 0 ? `${word}, ${duration(seconds)}` : word}</span>
      {trace && <Took {...trace.totals} seconds={0} services={services} />}
    </span>
  );
}

function CallDetails({ call, services, renderAgent }: Props) {
  const { trans } = services;
  const { reason, result, source, trace } = call;
  const given = useMemo(() => JSON.stringify(call.arguments), [call.arguments]);
  return (
    <div className="iai-agent-details">
      {source && <p className="iai-muted">{trans('From {source}', { source: visible(source) })}</p>}
      {reason && <p className="iai-muted">{visible(reason)}</p>}
      <p className="iai-agent-title">{trans('Arguments')}</p>
      <JsonTree text={given} services={services} label={trans('Arguments')} open={2} inner />
      {trace && renderAgent(trace, services)}
      {result && (
        <>
          <p className="iai-agent-title">{trans('Result')}</p>
          <Result text={result} services={services} />
        </>
      )}
    </div>
  );
}

/** A result as what it is: JSON as a tree, other text as text. */
function Result({ text, services }: { readonly text: string; readonly services: Services }) {
  const label = services.trans('Result');
  return /^\s*[[{]/.test(text) ? (
    <JsonTree text={text} services={services} label={label} open={2} inner />
  ) : (
    <LogView text={text} label={label} inner />
  );
}
