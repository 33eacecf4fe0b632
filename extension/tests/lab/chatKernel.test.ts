import type { Session } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { translator } from '../../src/core/i18n';
import { ChatKernel } from '../../src/lab/chatKernel';

vi.mock('@jupyterlab/services', () => ({ KernelMessage: {} }));

const OWNER = {};
let running: { id: string; path: string }[];
let connected: ReturnType<typeof connection>[];
const runningChanged = new Signal<object, void>(OWNER);
const open = vi.fn();
let chat: ChatKernel;

/** A connection to a session as far as the chat looks. */
function connection(id: string) {
  return {
    id,
    isDisposed: false,
    kernel: null as object | null,
    kernelChanged: new Signal<object, void>(OWNER),
    statusChanged: new Signal<object, void>(OWNER),
    connectionStatusChanged: new Signal<object, void>(OWNER),
    dispose(): void {
      this.isDisposed = true;
    }
  };
}

function sessionsAre(...found: { id: string; path: string }[]): void {
  running = found;
  runningChanged.emit();
}

function kernelIs(status: string, connectionStatus = 'connected', language = 'python'): void {
  const info = Promise.resolve({ language_info: { name: language } });
  const last = connected.at(-1) as ReturnType<typeof connection>;
  last.kernel = { status, connectionStatus, info };
  last.statusChanged.emit();
}

beforeEach(() => {
  running = [];
  connected = [];
  const sessions = {
    ready: Promise.resolve(),
    runningChanged,
    running: () => running[Symbol.iterator](),
    connectTo: ({ model }: { model: { id: string } }) => {
      connected.push(connection(model.id));
      return connected.at(-1);
    }
  };
  chat = new ChatKernel({
    sessions: sessions as unknown as Session.IManager,
    trans: translator('en'),
    path: 'a.ipynb',
    open
  });
});

afterEach(() => chat.dispose());

it('offers to open a document whose kernel does not run', () => {
  sessionsAre({ id: 's', path: 'b.ipynb' });
  expect(connected).toEqual([]);
  expect(chat.absence.get()?.message).toContain('The kernel of a.ipynb does not run.');
  chat.absence.get()?.action?.run();
  expect(open).toHaveBeenCalledOnce();
});

it('takes the session of its document, and lets go of it', () => {
  sessionsAre({ id: 's', path: 'a.ipynb' });
  kernelIs('restarting');
  expect(chat.absence.get()?.message).toContain('starts');
  sessionsAre({ id: 's', path: 'renamed.ipynb' });
  expect(connected).toHaveLength(1);
  sessionsAre({ id: 'other', path: 'a.ipynb' });
  expect(connected.map(({ isDisposed }) => isDisposed)).toEqual([true, false]);
  sessionsAre();
  expect(connected.map(({ isDisposed }) => isDisposed)).toEqual([true, true]);
  expect(chat.absence.get()?.message).toContain('does not run');
});

it('says what keeps a kernel from talking', async () => {
  sessionsAre({ id: 's', path: 'a.ipynb' });
  kernelIs('idle', 'connected', 'R');
  await vi.waitFor(() => expect(chat.absence.get()?.message).toContain('This kernel speaks R.'));
  kernelIs('dead');
  expect(chat.absence.get()?.message).toContain('does not run');
  expect(chat.transport.closed.get()).toBe(true);
});
