/** A chat on the plain page, with a kernel inside of it. */
import { mountChat, type Absence } from '../canvas/chat/mount';
import { newThread, type Attachment, type Exchange, type Thread } from '../core/chat';
import { ChatLink } from '../core/chatLink';
import { Chats } from '../core/chats';
import type { Services } from '../core/services';
import { Store } from '../core/store';
import { AGENTS, ANALYST, PageChat } from './chatKernel';
import { nextFrame } from './meter';
import { agentOf, askOf } from './show';

export interface ShownChat {
  readonly kernel: PageChat;
  readonly chats: Chats;
  dispose(): void;
}

export function showChat(element: HTMLElement, services: Services, kernel: PageChat): ShownChat {
  const absence = new Store<Absence | null>(null);
  const chats = new Chats(new ChatLink(kernel, services.trans));
  const mounted = mountChat(element, {
    chats,
    services,
    absence
  });
  void chats.start();
  return {
    kernel,
    chats,
    dispose: () => {
      mounted.dispose();
      chats.dispose();
    }
  };
}

/** Bytes of the longest text that a chat takes. */
const LONGEST = 100_000;

/** A kernel in which everybody says the text. */
export function hostileChat(said: string): PageChat {
  const text = said.slice(0, LONGEST);
  const kernel = new PageChat();
  kernel.agents = AGENTS.map(info => ({ ...info, title: text, model: text, fault: text }));
  kernel.tables = [{ name: text, rows: 1, columns: 1 }];
  kernel.files = [{ path: text, bytes: 1 }];
  kernel.memories = [{ id: text, text, kind: text, when: 1, why: text }];
  const attachments: Attachment[] = [
    { kind: 'table', name: text },
    { kind: 'file', path: text },
    { kind: 'image', name: text, media_type: text, data: text },
    { kind: 'image', name: text, media_type: 'image/png', data: text }
  ];
  const exchange: Exchange = {
    id: 'one',
    parent: null,
    text,
    attachments,
    sent_at: 1,
    state: 'failed',
    run_id: 'run',
    trace: agentOf(text),
    fault: text
  };
  const thread: Thread = { ...newThread('t', ANALYST, 1), title: text, exchanges: [exchange] };
  kernel.threads = [thread];
  kernel.want('t', 'one', [askOf(text), { ...askOf(text), kind: 'signal', form: null }]);
  return kernel;
}

/** Places of a chat where a stranger's text can stand; the button that leads there. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  chat: [],
  'chat-memory': ['More', 'Memory'],
  'chat-table': ['Table'],
  'chat-file': ['File']
};
export const CHAT_PLACES: readonly string[] = Object.keys(DOORS);

/** Show a text in one place of a chat; the result removes it. */
export async function showInChat(
  element: HTMLElement,
  services: Services,
  text: string,
  where: string
): Promise<() => void> {
  const kernel = hostileChat(text);
  const shown = showChat(element, services, kernel);
  await settled(() => element.querySelector('.iai-chat-question') !== null);
  for (const name of DOORS[where] ?? []) {
    const isNamed = (button: HTMLElement): boolean =>
      [button.textContent, button.getAttribute('aria-label')].includes(name);
    const button = [...element.querySelectorAll('button')].find(isNamed);
    button?.click();
    await nextFrame();
  }
  return () => shown.dispose();
}

async function settled(isThere: () => boolean): Promise<void> {
  for (let frames = 0; frames < 60 && !isThere(); frames += 1) {
    await nextFrame();
  }
}
