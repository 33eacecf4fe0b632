/** What the selected node waits for, and the buttons that answer. */
import { useState } from 'react';
import { askOf, asksOf, waitsOf, type Answer } from '../../../core/asks';
import type { Wait } from '../../../core/protocol';
import { Asks } from '../../agent';
import { AskPlace } from '../../agent/AskPlace';
import { WaitCard } from '../../agent/WaitCard';
import { useController, useNodePart, useRuns } from '../../hooks';

export function Waiting({ path }: { readonly path: string }) {
  const runs = useRuns(useController());
  const wait = useNodePart(runs, path, state => state.wait);
  const more_waits = useNodePart(runs, path, state => state.more_waits);
  const asks = asksOf({ wait, more_waits });
  const others = waitsOf({ wait, more_waits }).filter(other => askOf(other) === null);
  return (
    <>
      {asks.length > 0 && (
        <div className="iai-pad">
          <Asks asks={asks} />
        </div>
      )}
      {others.length > 0 && (
        <AskPlace>
          {others.map(other => (
            <OneWait key={`${other.step} ${other.key}`} wait={other} />
          ))}
        </AskPlace>
      )}
    </>
  );
}

function OneWait({ wait }: { readonly wait: Wait }) {
  const controller = useController();
  const [sent, setSent] = useState(false);
  const send = async (answer: Answer): Promise<void> => {
    setSent(true);
    const link = controller.link.get();
    const done = link && (await controller.attempt(() => link.request('answer', answer)));
    if (!done) {
      setSent(false);
    }
  };
  return (
    <WaitCard
      wait={wait}
      services={controller.services}
      busy={sent}
      onAnswer={answer => void send(answer)}
    />
  );
}
