/** What an agent has taken so far, and how far its limits are used. */
import {
  cacheShare,
  costText,
  gauges,
  shareText,
  tokenCount,
  tokenText,
  type AgentTrace,
  type Gauge,
  type Tokens
} from '../../core/agentTrace';
import { duration } from '../../core/format';
import type { Services } from '../../core/services';
import { gaugeAmount, gaugeName } from './words';

interface TookProps extends Tokens {
  readonly cost: number | null;
  readonly currency: string;
  readonly seconds: number;
  readonly services: Services;
}

/** Tokens, cost, cache use and time in one line; what is not known or nothing is left out. */
export function Took({ cost, currency, seconds, services, ...tokens }: TookProps) {
  const { trans, language } = services;
  const { input, output, cache_read, cache_write } = tokens;
  const count = tokenCount(tokens);
  if (count === 0 && seconds === 0) {
    return null;
  }
  const said = (value: number): string => tokenText(value, language);
  const detail = trans('{input} read, {output} written; cache: {read} read, {written} written', {
    input: said(input),
    output: said(output),
    read: said(cache_read),
    written: said(cache_write)
  });
  return (
    <span className="iai-agent-took">
      <span title={detail}>{trans('{count} tokens', { count: said(count) })}</span>
      {cost === null ? (
        count > 0 && <span>{trans('price not known')}</span>
      ) : (
        <span>{costText(cost, currency, language)}</span>
      )}
      {cache_read > 0 && (
        <span title={detail}>
          {trans('{share} from the cache', { share: shareText(cacheShare(tokens), language) })}
        </span>
      )}
      {seconds > 0 && <span>{duration(seconds)}</span>}
    </span>
  );
}

interface Props {
  readonly trace: AgentTrace;
  readonly services: Services;
}

export function Totals({ trace, services }: Props) {
  return (
    <div className="iai-agent-totals">
      <Took {...trace.totals} services={services} />
    </div>
  );
}

interface LimitsProps extends Props {
  /** Whether only the one is shown that is reached first. */
  readonly brief?: boolean;
}

/** A bar for each limit. */
export function Limits({ trace, services, brief = false }: LimitsProps) {
  const all = gauges(trace);
  const found = brief ? [...all].sort((a, b) => b.share - a.share).slice(0, 1) : all;
  return found.length > 0 ? (
    <div className="iai-agent-limits" role="group" aria-label={services.trans('Limits')}>
      {found.map(gauge => (
        <Bar key={gauge.name} gauge={gauge} trace={trace} services={services} />
      ))}
    </div>
  ) : null;
}

/** From this share on a bar says by its colour that little is left. */
const NEAR = 0.9;

function Bar({ gauge, trace, services }: Props & { readonly gauge: Gauge }) {
  const { trans, language } = services;
  const { name, used, limit, share } = gauge;
  const said = (amount: number): string =>
    gaugeAmount(name, amount, trace.totals.currency, language);
  const text = trans('{used} of {limit}', { used: said(used), limit: said(limit) });
  const title = gaugeName(trans, name);
  return (
    <div className="iai-agent-limit" title={`${title}: ${text}`}>
      <span className="iai-agent-limit-name">{title}</span>
      <span className="iai-agent-limit-text">{text}</span>
      <div
        className="iai-agent-bar"
        role="meter"
        aria-label={title}
        aria-valuemin={0}
        aria-valuemax={limit}
        aria-valuenow={Math.min(used, limit)}
        aria-valuetext={text}
        data-near={share >= NEAR || undefined}
      >
        <div style={{ transform: `scaleX(${share})` }} />
      </div>
    </div>
  );
}
