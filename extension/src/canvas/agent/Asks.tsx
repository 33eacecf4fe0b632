/** The questions of agents at a node of a canvas, and how answers reach their run. */
import { useState } from 'react';
import { addressOf, answerOf, type Ask, type Decision } from '../../core/asks';
import { Editor } from '../chrome/Mounted';
import { useRun, useTrans } from '../chrome/use';
import { useController } from '../hooks';
import { AskCard, type ArgumentsEditorProps } from './AskCard';
import { AskPlace } from './AskPlace';

interface Props {
  readonly asks: readonly Ask[];
  /** On a small card: takes the person to the inspector. */
  readonly onOpen?: (from: Element) => void;
}

export function Asks({ asks, onOpen }: Props) {
  const { run_id: run } = useRun(useController());
  return (
    <AskPlace>
      {asks.map(ask => (
        <OneAsk key={`${run} ${addressOf(ask)}`} ask={ask} run={run} onOpen={onOpen} />
      ))}
    </AskPlace>
  );
}

interface OneProps extends Pick<Props, 'onOpen'> {
  readonly ask: Ask;
  readonly run: string;
}

function OneAsk({ ask, run, onOpen }: OneProps) {
  const controller = useController();
  const trans = useTrans();
  const [sent, setSent] = useState(false);
  const decide = async (decision: Decision): Promise<void> => {
    setSent(true);
    const link = controller.link.get();
    const answer = answerOf(ask, decision);
    const done = link && (await controller.attempt(() => link.request('answer', answer)));
    if (!done) {
      setSent(false);
    }
  };
  return (
    <AskCard
      ask={ask}
      run={run}
      trans={trans}
      busy={sent}
      onDecide={decision => void decide(decision)}
      onOpen={onOpen}
      editor={jsonEditor}
    />
  );
}

function jsonEditor(props: ArgumentsEditorProps) {
  return <Editor language="json" {...props} />;
}
