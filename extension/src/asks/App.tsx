/** What a run in a cell asks: a card for each question. */
import { AskCard } from '../canvas/agent/AskCard';
import { AskPlace } from '../canvas/agent/AskPlace';
import { WaitCard, type FormServices } from '../canvas/agent/WaitCard';
import { useStore } from '../canvas/hooks';
import { answerOf, askOf, waitNews, type Answer } from '../core/asks';
import type { Wait } from '../core/protocol';
import { useDoing } from '../panels/use';
import type { Line } from './line';

interface Props {
  readonly line: Line;
  readonly services: FormServices;
}

export function App({ line, services }: Props) {
  const waits = useStore(line.waits);
  const unheard = useStore(line.unheard);
  const { trans } = services;
  return (
    <AskPlace>
      <p className="iai-hidden" role="status" aria-live="polite">
        {waitNews(trans, waits)}
      </p>
      {unheard && (
        <p className="iai-muted">
          {trans(
            'An answer is asked for. Give it in the panel of runs or with `iaiflow runs approve`.'
          )}
        </p>
      )}
      {waits.map(wait => (
        <OneWait key={`${wait.step} ${wait.key}`} wait={wait} line={line} services={services} />
      ))}
    </AskPlace>
  );
}

function OneWait({ wait, line, services }: Props & { readonly wait: Wait }) {
  const { trans } = services;
  const { busy, fault, go } = useDoing();
  const give = (answer: Answer): void => void go(() => line.answer(answer));
  const ask = askOf(wait);
  return (
    <>
      {ask ? (
        <AskCard
          {...{ ask, trans, busy }}
          run="" // a cell's output has the questions of one run
          onDecide={decision => give(answerOf(ask, decision))}
        />
      ) : (
        <WaitCard {...{ wait, services, busy }} run="" onAnswer={give} />
      )}
      {fault && (
        <p className="iai-fault" role="alert">
          {fault}
        </p>
      )}
    </>
  );
}
