/** The questions of agents at a node of a canvas, and how answers reach their run. */
import { useState } from 'react';
import { answerOf, type Ask, type Decision } from '../../core/asks';
import { Editor } from '../chrome/Mounted';
import { useTrans } from '../chrome/use';
import { useController } from '../hooks';
import { AskCard, type ArgumentsEditorProps } from './AskCard';
import { AskPlace } from './AskPlace';

interface Props {
  readonly asks: readonly Ask[];
  /** On a small card: takes the person to the inspector. */
  readonly onOpen?: (from: Element) => void;
}

export function Asks({ asks, onOpen }: Props) {
  return (
    <AskPlace>
      {asks.map(ask => (
        <OneAsk key={`${ask.step} ${ask.key}`} ask={ask} onOpen={onOpen} />
      ))}
    </AskPlace>
  );
}

function OneAsk({ ask, onOpen }: { readonly ask: Ask } & Pick<Props, 'onOpen'>) {
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
