/** Markdown of an agent, built from its tokens: nothing of it can act. */
import { useLayoutEffect, useRef } from 'react';
import type { Services } from '../../core/services';

interface Props {
  readonly text: string;
  readonly services: Pick<Services, 'showMarkdown'>;
}

export function Markdown({ text, services }: Props) {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (element.current) {
      services.showMarkdown(element.current, text);
    }
  }, [services, text]);
  return <div className="iai-markdown" dir="auto" ref={element} />;
}
