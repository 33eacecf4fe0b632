/** What the components of a chat share. */
import { createContext, useContext } from 'react';
import type { Chats, Lists, Opened } from '../../core/chats';
import type { Trans } from '../../core/i18n';
import type { Services } from '../../core/services';
import type { Store } from '../../core/store';
import { useStore } from '../hooks';

/** Why there is no line to the kernel, and what can be done about it. */
export interface Absence {
  readonly message: string;
  /** A command for a terminal that mends it; "": there is none. */
  readonly command: string;
  readonly action: { readonly label: string; run(): void } | null;
}

export interface ChatHost {
  readonly chats: Chats;
  readonly services: Services;
  /** Why there is no line to the kernel, where the host knows. */
  readonly absence: Store<Absence | null>;
}

export const ChatContext = createContext<ChatHost | null>(null);

export function useChat(): ChatHost & { readonly trans: Trans } {
  const host = useContext(ChatContext);
  if (!host) {
    throw new Error('This component stands outside of a chat.');
  }
  return { ...host, trans: host.services.trans };
}

export function useLists(): Lists {
  return useStore(useChat().chats.lists);
}

export function useOpened(): Opened {
  return useStore(useChat().chats.opened);
}

/** Whether the kernel's side is gone. */
export function useGone(): boolean {
  return useStore(useChat().chats.link.gone);
}
