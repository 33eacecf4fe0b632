import { describe, expect, it, vi } from 'vitest';
import { shownBranch, type Exchange } from '../../src/core/chat';
import { ChatLink, type ChatVerb } from '../../src/core/chatLink';
import { Chats } from '../../src/core/chats';
import { translator } from '../../src/core/i18n';
import { ANALYST, PageChat } from '../../src/testpage/chatKernel';
import { askWait } from '../agents';

const ASKING = askWait();
const EXPERT = { kind: 'node', flow: 'flights.flow.json', path: 'expert' } as const;
const question = (text: string) => ({ text, attachments: [] });

/** A chat that has begun, and the kernel that it speaks with. */
async function chat(kernel = new PageChat(), page = 'e') {
  let number = 0;
  const link = new ChatLink(kernel, translator('en'));
  const chats = new Chats(link, { id: () => `${page}${(number += 1)}`, now: () => 5 });
  await chats.start();
  return { kernel, chats };
}

function last(chats: Chats): Exchange {
  const { thread } = chats.opened.get();
  return (thread && shownBranch(thread).at(-1)) as Exchange;
}

const verbs = (kernel: PageChat): ChatVerb[] => kernel.calls.map(({ verb }) => verb);
const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve));

describe('a chat', () => {
  it('asks nothing of anybody until there is a question', async () => {
    const { kernel, chats } = await chat();
    expect(verbs(kernel)).toEqual(['hello']);
    expect(chats.opened.get()).toMatchObject({ agent: ANALYST, id: '' });
    expect(await chats.ask(question('  '))).toBe(false);
    expect(verbs(kernel)).toEqual(['hello']);
  });

  it('asks, hears the answer, and asks on', async () => {
    const { kernel, chats } = await chat();
    chats.keepDraft(question('Which month?'));
    expect(await chats.ask(chats.draft())).toBe(true);
    expect(chats.draft().text).toBe('');
    expect(last(chats)).toMatchObject({ state: 'working', run_id: 'run-1' });
    expect(await chats.ask(question('And?'))).toBe(false);
    const { id } = chats.opened.get();
    kernel.tell(id, 'e1', { trace: '{}' });
    kernel.tell(id, 'e1', { state: 'done' });
    expect(last(chats)).toMatchObject({ state: 'done', trace: '{}', run_id: 'run-1' });
    await chats.ask(question('And?'));
    expect(kernel.calls.at(-1)?.args).toMatchObject({ thread: id, exchange: 'e2', parent: 'e1' });
  });

  it('keeps what was written when it is refused, and says why', async () => {
    const { kernel, chats } = await chat();
    kernel.refused = { ask: 'There is no key.' };
    chats.keepDraft(question('Which month?'));
    expect(await chats.ask(chats.draft())).toBe(false);
    expect(chats.fault.get()).toBe('There is no key. Try again.');
    expect(chats.opened.get().thread?.exchanges).toEqual([]);
    kernel.refused = {};
    expect(await chats.ask(question('Which month?'))).toBe(true);
    expect(chats.fault.get()).toBe('');
    expect(verbs(kernel).filter(verb => verb === 'begin')).toHaveLength(1);
  });

  it('asks once more in place of a question, and shows what was there before', async () => {
    const { kernel, chats } = await chat();
    await chats.ask(question('One?'));
    const { id } = chats.opened.get();
    kernel.tell(id, 'e1', { state: 'done' });
    chats.keepDraft(question('for later'));
    await chats.ask(question('Two?'), last(chats));
    expect(kernel.calls.at(-1)?.args).toMatchObject({ parent: null, text: 'Two?' });
    expect(chats.draft().text).toBe('for later');
    await chats.show('e1');
    expect(last(chats).id).toBe('e1');
    kernel.push({ push: 'shown', thread: id, chosen: { '': 'e2' } });
    expect(last(chats).id).toBe('e2');
  });

  it('stops what goes on, and answers what is asked', async () => {
    const { kernel, chats } = await chat();
    await chats.ask(question('One?'));
    const { id } = chats.opened.get();
    kernel.want(id, 'e1', [ASKING]);
    expect(chats.opened.get().asks).toEqual({ e1: [ASKING] });
    const answer = { step: 'a#k', outcome: 'approved', value: null, reason: '' } as const;
    expect(await chats.answer('run-1', answer)).toBe(true);
    expect(kernel.calls.at(-1)?.args).toEqual({ run_id: 'run-1', ...answer });
    expect(chats.opened.get().asks).toEqual({ e1: [] });
    await chats.stop();
    expect(last(chats).state).toBe('stopped');
  });

  it('stops a question that the kernel has not answered yet', async () => {
    const { kernel, chats } = await chat();
    kernel.onAsk = () => void chats.stop();
    await chats.ask(question('One?'));
    expect(verbs(kernel).slice(-2)).toEqual(['ask', 'stop']);
    expect(last(chats).state).toBe('stopped');
  });

  it('stops a question whose run is not known yet', async () => {
    const { kernel, chats } = await chat();
    kernel.onAsk = () => {
      kernel.tell(chats.opened.get().id, 'e1', { state: 'working', run_id: '' });
    };
    await chats.ask(question('One?'));
    expect(last(chats)).toMatchObject({ state: 'working', run_id: 'run-1' });

    const { chats: other } = await chat(kernel, 'f');
    const { id } = other.opened.get();
    kernel.tell(id, 'e1', { run_id: '' });
    await other.stop();
    expect(verbs(kernel)).not.toContain('stop');
    kernel.tell(id, 'e1', { run_id: 'run-1' });
    await settled();
    expect(verbs(kernel).filter(verb => verb === 'stop')).toHaveLength(1);
    expect(last(other).state).toBe('stopped');
  });

  it('opens the newest thread, renames and removes', async () => {
    const { kernel, chats } = await chat();
    await chats.ask(question('One?'));
    const { chats: other } = await chat(kernel);
    expect(last(other).text).toBe('One?');
    const { id } = other.opened.get();
    await other.rename(id, ' Delays ');
    expect(chats.lists.get().threads[0]?.title).toBe('Delays');
    await other.remove(id);
    for (const one of [chats, other]) {
      expect(one.lists.get().threads).toEqual([]);
      expect(one.opened.get()).toMatchObject({ id: '', agent: ANALYST });
    }
  });

  it('reads a thread anew in which another page asked', async () => {
    const { kernel, chats } = await chat();
    await chats.ask(question('One?'));
    const { id } = chats.opened.get();
    kernel.tell(id, 'e1', { state: 'done' });
    const { chats: other } = await chat(kernel, 'other');
    await other.open(id);
    await other.ask(question('Two?'), last(other));
    await settled();
    expect(chats.opened.get().thread?.exchanges.map(({ text }) => text)).toContain('Two?');
  });

  it('asks in a conversation that one has left, and stays where one is', async () => {
    const { kernel, chats } = await chat();
    await chats.ask(question('One?'));
    const { id } = chats.opened.get();
    chats.begin(ANALYST);
    const asking = chats.ask(question('Two?'));
    const opening = chats.open(id);
    chats.keepDraft(question('for later'));
    expect(await asking).toBe(true);
    await opening;
    expect(kernel.threads[0]?.exchanges.map(({ text }) => text)).toEqual(['Two?']);
    expect(chats.opened.get().id).toBe(id);
    expect(last(chats).text).toBe('One?');
    expect(chats.draft().text).toBe('for later');
  });

  it('gives back what was refused where it was written', async () => {
    const { kernel, chats } = await chat();
    await chats.ask(question('One?'));
    const { id } = chats.opened.get();
    kernel.tell(id, 'e1', { state: 'done' });
    kernel.refused = { ask: 'There is no key.' };
    const asking = chats.ask(question('Two?'));
    chats.begin(ANALYST);
    expect(await asking).toBe(false);
    expect(chats.draft().text).toBe('');
    await chats.open(id);
    expect(chats.draft().text).toBe('Two?');
  });

  it('keeps what is written while a conversation begins', async () => {
    const { chats } = await chat();
    const asking = chats.ask(question('One?'));
    chats.keepDraft(question('And?'));
    await asking;
    expect(chats.draft().text).toBe('And?');
    chats.begin(ANALYST);
    expect(chats.draft().text).toBe('');
  });

  it.each(['the same', 'another'])('keeps an end told while %s thread was read', async which => {
    const { kernel, chats } = await chat();
    await chats.ask(question('One?'));
    const { id } = chats.opened.get();
    if (which === 'another') {
      chats.begin(ANALYST);
    }
    const before = kernel.threads;
    const reading = chats.open(id);
    kernel.tell(id, 'e1', { state: 'done', trace: '{}' });
    kernel.threads = before; // the reply was made before the end
    await reading;
    expect(last(chats)).toMatchObject({ state: 'done', trace: '{}' });
  });

  it('turns to an agent: to its newest thread, or to a new one', async () => {
    const { kernel, chats } = await chat();
    await chats.ask(question('One?'));
    const { id } = chats.opened.get();
    await chats.turnTo(EXPERT);
    expect(chats.opened.get()).toMatchObject({ id: '', agent: EXPERT });
    expect(chats.infoOf(EXPERT)).toBeNull();
    chats.keepDraft(question('for the expert'));
    await chats.turnTo(ANALYST);
    expect(chats.opened.get().id).toBe(id);
    expect(chats.draft().text).toBe('');
    expect(kernel.threads).toHaveLength(1);
  });

  it('says that the kernel is gone, and goes on when it is back', async () => {
    const { kernel, chats } = await chat();
    await chats.ask(question('One?'));
    const { id } = chats.opened.get();
    kernel.closed.set(true);
    expect(await chats.ask(question('Two?'), last(chats))).toBe(false);
    await chats.stop();
    expect(chats.fault.get()).toContain('The kernel is gone');
    kernel.threads = kernel.threads.map(thread => ({ ...thread, title: 'Back' }));
    kernel.closed.set(false);
    await settled();
    expect(chats.opened.get().thread).toMatchObject({ id, title: 'Back' });
    expect(chats.fault.get()).toBe('');
  });

  it('says when the kernel does not say what there is', async () => {
    const kernel = new PageChat();
    kernel.refused = { hello: 'No workspace.' };
    const { chats } = await chat(kernel);
    expect(chats.lists.get().state).toBe('failed');
    expect(chats.fault.get()).toBe('No workspace. Try again.');
    chats.dispose();
  });

  it('exports, forgets, and lists what can be attached', async () => {
    const { kernel, chats } = await chat();
    await chats.ask(question('One?'));
    expect(await chats.exportNotebook()).toBe('One?.ipynb');
    expect(await chats.tables()).toEqual(kernel.tables);
    expect(await chats.files('none')).toEqual([]);
    kernel.memories = [{ id: 'm1', text: 'July', kind: 'semantic', when: 1, why: '' }];
    expect(await chats.memories(ANALYST, 'July')).toHaveLength(1);
    expect(await chats.forget(ANALYST, 'm1')).toBe(true);
    expect(await chats.memories(ANALYST, '')).toEqual([]);
  });
});

describe('the line of a chat', () => {
  it('hears only its own answers', async () => {
    const kernel = new PageChat();
    const [one, two] = [
      new ChatLink(kernel, translator('en')),
      new ChatLink(kernel, translator('en'))
    ];
    const heard = vi.fn();
    two.onPush(heard);
    const asked = one.ask('tables', {});
    two.ask('files', { prefix: '' }).catch(() => undefined);
    expect(await asked).toEqual(kernel.tables);
    kernel.push({ push: 'threads', threads: [] });
    expect(heard).toHaveBeenCalledOnce();
    two.dispose();
    kernel.push({ push: 'threads', threads: [] });
    expect(heard).toHaveBeenCalledOnce();
  });

  it('says after a while that the kernel is busy', async () => {
    vi.useFakeTimers();
    const kernel = new PageChat();
    kernel.send = () => undefined;
    const link = new ChatLink(kernel, translator('en'));
    const asked = link.ask('tables', {});
    vi.advanceTimersByTime(3_000);
    expect(link.slow.get()).toBe(true);
    kernel.closed.set(true);
    await expect(asked).rejects.toThrow('The kernel is gone');
    expect(link.slow.get()).toBe(false);
    vi.useRealTimers();
  });
});
