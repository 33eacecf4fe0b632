/** The door for hosts: puts a chat into an element of the page. */
import { createRoot } from 'react-dom/client';
import { DraftsKept } from '../agent/drafts';
import { useTheme } from '../chrome/theme';
import { keepKeys } from '../keys';
import { ChatView } from './ChatView';
import { ChatContext, type Absence, type ChatHost } from './context';

export type { Absence, ChatHost };

/** Show the chat until it is disposed. */
export function mountChat(element: HTMLElement, host: ChatHost): { dispose(): void } {
  const root = createRoot(element);
  const endKeys = keepKeys(element);
  root.render(
    <ChatContext.Provider value={host}>
      <Root language={host.services.language} />
    </ChatContext.Provider>
  );
  return {
    dispose: () => {
      endKeys();
      root.unmount();
    }
  };
}

function Root({ language }: { readonly language: string }) {
  return (
    <div
      className="iai-root"
      data-theme={useTheme()}
      lang={language}
      onContextMenu={event => event.stopPropagation()}
    >
      <DraftsKept>
        <ChatView />
      </DraftsKept>
    </div>
  );
}
