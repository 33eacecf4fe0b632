import { act } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mountChat, type Absence } from '../../src/canvas/chat/mount';
import type { Exchange, Thread } from '../../src/core/chat';
import { ChatLink } from '../../src/core/chatLink';
import { Chats } from '../../src/core/chats';
import { Store } from '../../src/core/store';
import { plainServices } from '../../src/plain';
import { AGENTS, ANALYST, PageChat } from '../../src/testpage/chatKernel';
import { TRACE, askWait } from '../agents';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let element: HTMLElement;
let kernel: PageChat;
let chats: Chats;
let absence: Store<Absence | null>;
let end: () => void;

const settled = (): Promise<void> =>
  act(async () => {
    await new Promise(resolve => setTimeout(resolve, 20));
  });

async function show(): Promise<void> {
  const services = plainServices({ place: element, language: 'en' });
  chats = new Chats(new ChatLink(kernel, services.trans));
  absence = new Store<Absence | null>(null);
  await act(async () => {
    const mounted = mountChat(element, { chats, services, absence });
    end = () => mounted.dispose();
    await chats.start();
  });
}

beforeEach(() => {
  element = document.body.appendChild(document.createElement('div'));
  kernel = new PageChat();
});

afterEach(() => {
  act(() => end());
  chats.dispose();
  document.body.replaceChildren();
});

const all = (selector: string): HTMLElement[] => [
  ...element.querySelectorAll<HTMLElement>(selector)
];
const one = (selector: string): HTMLElement => all(selector)[0] as HTMLElement;
const said = (): string => element.textContent ?? '';
const named = (name: string): HTMLButtonElement =>
  all('button').find(button =>
    [button.textContent, button.getAttribute('aria-label')].includes(name)
  ) as HTMLButtonElement;

async function click(name: string): Promise<void> {
  act(() => named(name).click());
  await settled();
}

function type(selector: string, text: string): void {
  const field = one(selector) as HTMLTextAreaElement;
  const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value') ?? {};
  act(() => {
    set?.call(field, text);
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

async function press(selector: string, key: string, more: object = {}): Promise<void> {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more });
  act(() => void one(selector).dispatchEvent(event));
  await settled();
}

const FIELD = '.iai-chat-ask textarea';

async function ask(text: string): Promise<string> {
  type(FIELD, text);
  await press(FIELD, 'Enter');
  return chats.opened.get().thread?.exchanges.at(-1)?.id ?? '';
}

function tell(exchange: string, news: Parameters<PageChat['tell']>[2]): void {
  act(() => kernel.tell(chats.opened.get().id, exchange, news));
}

const answer = (text: string): string =>
  JSON.stringify({ ...TRACE, state: 'done', turns: [{ n: 1, text, calls: [] }] });

/** A thread with so many questions that were answered. */
function long(count: number): Thread {
  const exchanges: Exchange[] = Array.from({ length: count }, (_, at) => ({
    id: `x${at}`,
    parent: at === 0 ? null : `x${at - 1}`,
    text: `Question ${at}.`,
    attachments: [],
    sent_at: at,
    state: 'done',
    run_id: `r${at}`,
    trace: answer(`Answer ${at}.`),
    fault: ''
  }));
  return { id: 't', agent: ANALYST, title: 'Long', created_at: 1, exchanges, chosen: {} };
}

describe('a chat', () => {
  it('says what to do where there is no agent', async () => {
    kernel.agents = [];
    await show();
    expect(said()).toContain('There is no agent to talk with yet');
    expect(said()).toContain('from iaiflow_agents import Agent');
    kernel.agents = AGENTS;
    await click('Look again');
    expect(said()).toContain('Ask analyst something');
    expect(said()).toContain('scripted model');
  });

  it('sends with Enter, shows the answer while it comes, and stops', async () => {
    await show();
    type(FIELD, 'Which month?');
    await press(FIELD, 'Enter', { shiftKey: true });
    expect(kernel.threads).toEqual([]);
    await press(FIELD, 'Enter', { ctrlKey: true });
    const id = chats.opened.get().thread?.exchanges[0]?.id ?? '';
    expect((one(FIELD) as HTMLTextAreaElement).value).toBe('');
    expect(one('.iai-chat-question').textContent).toBe('Which month?');
    expect(one('[role=log]').textContent).toContain('Works…');
    tell(id, { trace: answer('**July** is') });
    const first = one('.iai-markdown strong');
    tell(id, { trace: answer('**July** is worst.\n\nReally.') });
    expect(one('.iai-markdown').textContent).toBe('July is worst.Really.');
    expect(first.textContent).toBe('July');
    type(FIELD, 'And?');
    expect(said()).toContain('The agent works; wait for it or stop it.');
    await press(FIELD, 'Enter');
    expect(all('.iai-chat-exchange')).toHaveLength(1);
    await click('Stop');
    expect(one('.iai-chat-end').textContent).toContain('Stopped');
    expect(document.activeElement).toBe(one(FIELD));
    expect((one(FIELD) as HTMLTextAreaElement).value).toBe('And?');
  });

  it('tells calls in a row each, what it took, and why it failed', async () => {
    await show();
    const id = await ask('Which month?');
    tell(id, { state: 'failed', trace: JSON.stringify(TRACE), fault: 'No key is set.' });
    expect(one('.iai-agent-call').textContent).toContain('sql');
    expect(one('.iai-chat-end').textContent).toContain('Failed. No key is set.');
    expect(one('.iai-chat-foot').textContent).toContain('tokens');
    expect(one('p[role=status]').textContent).toBe('Failed. No key is set.');
  });

  it('asks for what needs an approval, in its place', async () => {
    await show();
    const id = await ask('Write to Anna.');
    act(() => kernel.want(chats.opened.get().id, id, [askWait()]));
    expect(said()).toContain('May the agent call mail.send?');
    await click('Allow');
    const { verb, args } = kernel.calls.at(-1) as (typeof kernel.calls)[number];
    expect(verb).toBe('answer');
    expect(args).toMatchObject({ run_id: 'run-1', step: 'analyst#ask:c1', outcome: 'approved' });
    expect(all('.iai-ask')).toEqual([]);
    act(() =>
      kernel.want(chats.opened.get().id, id, [askWait({ kind: 'signal', form: null, name: 'go' })])
    );
    expect(said()).toContain('Call mail.send?');
  });

  it('asks otherwise, keeps both versions, and turns between them', async () => {
    await show();
    const id = await ask('One?');
    tell(id, { state: 'done', trace: answer('First.') });
    await click('Edit');
    const edit = '.iai-chat-exchange textarea';
    expect(document.activeElement).toBe(one(edit));
    await press(edit, 'Escape');
    expect(all(edit)).toEqual([]);
    await click('Edit');
    type(edit, 'Two?');
    await press(edit, 'Enter');
    expect(one('.iai-chat-question').textContent).toBe('Two?');
    expect(one('.iai-chat-versions').textContent).toContain('2 of 2');
    await click('Earlier version');
    expect(one('.iai-chat-exchange').textContent).toContain('First.');
    expect(named('Earlier version').disabled).toBe(true);
  });

  it('attaches tables and files, and lets go of them', async () => {
    await show();
    await click('Table');
    expect(document.activeElement?.getAttribute('aria-label')).toBe('Attach a table of the kernel');
    await press('[role=combobox]', 'Escape');
    expect(document.activeElement).toBe(named('Table'));
    await click('Table');
    await press('[role=combobox]', 'Enter');
    expect(document.activeElement).toBe(one(FIELD));
    await click('File');
    await press('[role=combobox]', 'Enter');
    expect(all('.iai-chat-chip')).toHaveLength(2);
    await click('Remove flights');
    await ask('What is in it?');
    expect(kernel.threads[0]?.exchanges[0]?.attachments).toEqual([
      { kind: 'file', path: 'data/weather.csv' }
    ]);
    expect(all('.iai-chat-ask .iai-chat-chip')).toEqual([]);
  });

  it('takes pictures, and says which it does not take', async () => {
    await show();
    const drop = async (...files: File[]): Promise<void> => {
      const event = new Event('drop', { bubbles: true, cancelable: true });
      Object.assign(event, { dataTransfer: { types: ['Files'], files } });
      act(() => void one('.iai-chat-ask form').dispatchEvent(event));
      await settled();
    };
    await drop(new File([new Uint8Array([1, 2, 3])], 'a.png', { type: 'image/png' }));
    expect(one('.iai-chat-chip img').getAttribute('src')).toBe('data:image/png;base64,AQID');
    await drop(new File(['x'], 'a.svg', { type: 'image/svg+xml' }));
    expect(one('.iai-fault').textContent).toContain('a.svg is no picture');
    await drop(new File([new Uint8Array(5_000_001)], 'b.png', { type: 'image/png' }));
    expect(one('.iai-fault').textContent).toContain('b.png is larger than 5.0 MB');
    expect(all('.iai-chat-chip')).toHaveLength(1);
  });

  describe('whose picture is read', () => {
    /** Drop a picture; returns what says which byte it is; null: it cannot be read. */
    function drop(name: string): (byte: number | null) => void {
      const file = new File(['x'], name, { type: 'image/png' });
      let tell: (byte: number | null) => void = () => undefined;
      const bytes = new Promise<ArrayBuffer>((resolve, reject) => {
        tell = byte =>
          byte === null ? reject(new Error('It is gone.')) : resolve(new Uint8Array([byte]).buffer);
      });
      file.arrayBuffer = () => bytes;
      const event = new Event('drop', { bubbles: true, cancelable: true });
      Object.assign(event, { dataTransfer: { types: ['Files'], files: [file] } });
      act(() => void one('.iai-chat-ask form').dispatchEvent(event));
      return tell;
    }
    const chips = (): (string | null)[] =>
      all('.iai-chat-chip img').map(img => img.getAttribute('src'));

    it('keeps what is typed and dropped meanwhile', async () => {
      await show();
      const [first, second] = [drop('a.png'), drop('b.png')];
      type(FIELD, 'What is it?');
      first(1);
      second(2);
      await settled();
      expect((one(FIELD) as HTMLTextAreaElement).value).toBe('What is it?');
      expect(chips()).toEqual(['data:image/png;base64,AQ==', 'data:image/png;base64,Ag==']);
    });

    it('leaves other conversations alone', async () => {
      kernel.threads = [long(1)];
      await show();
      const first = drop('a.png');
      await click('New conversation');
      first(1);
      await settled();
      expect(chips()).toEqual([]);
    });

    it('says that it could not be read', async () => {
      await show();
      drop('a.png')(null);
      await settled();
      expect(one('.iai-fault').textContent).toBe('a.png could not be read; attach it again.');
    });
  });

  it('draws the newest of a long conversation first', async () => {
    kernel.threads = [long(50)];
    await show();
    expect(all('.iai-chat-exchange')).toHaveLength(20);
    expect(said()).toContain('Question 49.');
    await click('Show earlier (30)');
    expect(all('.iai-chat-exchange')).toHaveLength(40);
    await click('Show earlier (10)');
    expect(said()).toContain('Question 0.');
  });

  it('lists conversations, and searches many', async () => {
    kernel.threads = Array.from({ length: 8 }, (_, at) => ({
      ...long(1),
      id: `t${at}`,
      title: `Talk ${at}`
    }));
    await show();
    expect(all('.iai-chat-thread')).toHaveLength(8);
    expect(one('.iai-chat-thread[aria-current]').textContent).toContain('Talk 0');
    type('.iai-chat-threads input', 'talk 5');
    expect(all('.iai-chat-thread')).toHaveLength(1);
    act(() => one('.iai-chat-thread').click());
    await settled();
    expect(one('h3').textContent).toBe('Talk 5');
    await click('New conversation');
    expect(one('h3').textContent).toBe('New conversation');
  });

  it('renames, exports and deletes the one that is open', async () => {
    kernel.threads = [long(1)];
    await show();
    await click('More');
    await click('Rename…');
    type('.iai-chat-more input', 'Delays');
    await click('Rename');
    expect(one('h3').textContent).toBe('Delays');
    await click('Export as notebook');
    expect(said()).toContain('Written to Delays.ipynb');
    await click('Delete…');
    expect(document.activeElement).toBe(named('Keep it'));
    await click('Delete');
    expect(kernel.threads).toEqual([]);
  });

  it('shows what the agent remembers, and forgets', async () => {
    kernel.memories = [{ id: 'm1', text: 'Anna likes July.', kind: 'semantic', when: 1, why: '' }];
    await show();
    await click('More');
    await click('Memory');
    expect(said()).toContain('Anna likes July.');
    await click('Forget');
    expect(said()).toContain('It remembers nothing yet.');
    await click('Back');
    expect(all(FIELD)).toHaveLength(1);
  });

  it('says why nothing can be asked, and that the kernel is gone', async () => {
    kernel.agents = AGENTS.map(info => ({ ...info, fault: 'There is no key. Set one.' }));
    await show();
    expect(one('.iai-chat-ask .iai-notice').textContent).toBe('There is no key. Set one.');
    type(FIELD, 'Hello?');
    await press(FIELD, 'Enter');
    expect(kernel.threads).toEqual([]);
    const run = vi.fn();
    act(() => {
      absence.set({ message: 'It does not run.', command: 'pip', action: { label: 'Open', run } });
      kernel.closed.set(true);
    });
    expect(said()).toContain('It does not run.');
    await click('Open');
    expect(run).toHaveBeenCalledOnce();
  });

  it('says why the kernel refused, and keeps what was written', async () => {
    await show();
    kernel.refused = { ask: 'The budget is spent.' };
    await ask('Hello?');
    expect(one('[role=alert]').textContent).toContain('The budget is spent.');
    expect((one(FIELD) as HTMLTextAreaElement).value).toBe('Hello?');
    await click('Close');
    expect(all('[role=alert]')).toEqual([]);
  });
});
