/** Markdown of an agent, built from its tokens: nothing of it can act. */
import { useLayoutEffect, useRef } from 'react';
import { useChat } from './context';

export function Markdown({ text }: { readonly text: string }) {
  const { showMarkdown } = useChat();
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (element.current) {
      showMarkdown(element.current, text);
    }
  }, [showMarkdown, text]);
  return <div className="iai-markdown" dir="auto" ref={element} />;
}
