/** The questions of an agent on a canvas, and the way back to its run. */
import { useEffect, useRef, useState } from 'react';
import { answerOf, askOf, waitsOf, type Ask, type Decision } from '../../core/asks';
import type { NodeState } from '../../core/protocol';
import { visible } from '../../core/text';
import { Editor } from '../chrome/Mounted';
import { useTrans } from '../chrome/use';
import { useHeldFocus } from '../chrome/useHeldFocus';
import { useController } from '../hooks';
import { AskCard, type ArgumentsEditorProps } from './AskCard';

/** What agents ask of people at a node. */
export function asksOf(state: NodeState): readonly Ask[] {
  return waitsOf(state).flatMap(wait => askOf(wait) ?? []);
}

interface Props {
  readonly asks: readonly Ask[];
  /** On a small card: takes the person to the inspector. */
  readonly onOpen?: (from: Element) => void;
}

export function Asks({ asks, onOpen }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useHeldFocus(place);
  return (
    <div className="iai-asks" ref={place}>
      {asks.map(ask => (
        <OneAsk key={`${ask.step} ${ask.key}`} ask={ask} onOpen={onOpen} />
      ))}
    </div>
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

/** Tells those who hear the page that a node asks. */
export function useAskNews(asks: readonly Ask[]): void {
  const controller = useController();
  const trans = useTrans();
  const [first] = asks;
  const asked = first ? `${first.step} ${first.key}` : '';
  const said = first
    ? trans('{step} asks: may {tool} be called?', {
        step: visible(first.step),
        tool: visible(first.tool)
      })
    : '';
  useEffect(() => {
    if (asked) {
      controller.say(said);
    }
  }, [controller, asked, said]);
}
