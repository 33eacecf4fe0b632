/** What a run in a cell asks: a card for each question. */
import { useRef, useSyncExternalStore } from 'react';
import { AskCard } from '../canvas/agent/AskCard';
import { useHeldFocus } from '../canvas/chrome/useHeldFocus';
import type { Ask, Decision } from '../core/asks';
import { askNews } from '../core/asks';
import type { Trans } from '../core/i18n';
import { useDoing } from '../panels/use';
import type { Line } from './line';

interface Props {
  readonly line: Line;
  readonly trans: Trans;
}

export function App({ line, trans }: Props) {
  const asks = useSyncExternalStore(line.asks.subscribe, line.asks.get);
  const unheard = useSyncExternalStore(line.unheard.subscribe, line.unheard.get);
  const place = useRef<HTMLDivElement>(null);
  useHeldFocus(place);
  return (
    <div className="iai-asks" ref={place} tabIndex={-1}>
      <p className="iai-hidden" role="status" aria-live="polite">
        {askNews(trans, asks)}
      </p>
      {unheard && (
        <p className="iai-muted">
          {trans('An agent asks. Answer in the panel of runs or with `iaiflow runs approve`.')}
        </p>
      )}
      {asks.map(ask => (
        <OneAsk key={`${ask.step} ${ask.key}`} ask={ask} line={line} trans={trans} />
      ))}
    </div>
  );
}

function OneAsk({ ask, line, trans }: Props & { readonly ask: Ask }) {
  const { busy, fault, go } = useDoing();
  const decide = (decision: Decision): void => void go(() => line.answer(ask, decision));
  return (
    <>
      <AskCard ask={ask} trans={trans} busy={busy} onDecide={decide} />
      {fault && (
        <p className="iai-fault" role="alert">
          {fault}
        </p>
      )}
    </>
  );
}
