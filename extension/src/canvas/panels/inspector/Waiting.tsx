/** What the selected node waits for, and the buttons that answer. */
import { useState } from 'react';
import { addressOf, askOf, asksOf, waitsOf, type Answer } from '../../../core/asks';
import type { Wait } from '../../../core/protocol';
import { Asks } from '../../agent';
import { AskPlace } from '../../agent/AskPlace';
import { WaitCard } from '../../agent/WaitCard';
import { useRun } from '../../chrome/use';
import { useController, useNodePart, useRuns } from '../../hooks';

export function Waiting({ path }: { readonly path: string }) {
  const controller = useController();
  const runs = useRuns(controller);
  const { run_id: run } = useRun(controller);
  const wait = useNodePart(runs, path, state => state.wait);
  const more_waits = useNodePart(runs, path, state => state.more_waits);
  const asks = asksOf({ wait, more_waits });
  const others = waitsOf({ wait, more_waits }).filter(other => askOf(other) === null);
  return asks.length + others.length > 0 ? (
    <div className="iai-inspector-waits">
      {asks.length > 0 && (
        <div className="iai-pad">
          <Asks asks={asks} />
        </div>
      )}
      {others.length > 0 && (
        <AskPlace>
          {others.map(other => (
            <OneWait key={`${run} ${addressOf(other)}`} wait={other} run={run} />
          ))}
        </AskPlace>
      )}
    </div>
  ) : null;
}

function OneWait({ wait, run }: { readonly wait: Wait; readonly run: string }) {
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
      run={run}
      services={controller.services}
      busy={sent}
      onAnswer={answer => void send(answer)}
    />
  );
}
