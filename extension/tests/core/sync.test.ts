import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FlowDocument } from '../../src/core/document';
import { dumpFlow } from '../../src/core/file';
import { EMPTY_FLOW, type Flow } from '../../src/core/flow';
import { KernelLink, type Transport } from '../../src/core/link';
import { VERSION, type Problem } from '../../src/core/protocol';
import { RunStore } from '../../src/core/runs';
import { Store } from '../../src/core/store';
import { FlowSync } from '../../src/core/sync';

const named = (name: string): string => dumpFlow({ ...EMPTY_FLOW, name });
const rename =
  (name: string) =>
  (flow: Flow): Flow => ({ ...flow, name });

/** A kernel's side that keeps one flow, as files and drafts do. */
class Kernel implements Transport {
  readonly closed = new Store(false);
  text = named('first');
  revision = 1;
  edits: string[] = [];
  /** It is busy: what is asked is done, but the answers come too late. */
  isSlow = false;
  private listener: (message: unknown, buffers: DataView[]) => void = () => undefined;

  send(message: unknown): void {
    const { id, do: name, args } = message as { id: number; do: string; args: never };
    const reply = { reply: id, ...this.answer(name, args) };
    if (!this.isSlow) {
      queueMicrotask(() => this.tell(reply));
    }
  }

  onMessage(listener: (message: unknown, buffers: DataView[]) => void): () => void {
    this.listener = listener;
    return () => undefined;
  }

  /** Somebody else changed the flow. */
  change(text: string, pushed = true): void {
    this.text = text;
    this.revision += 1;
    if (pushed) {
      this.tell({ push: { flow: { text, revision: this.revision } } });
    }
  }

  tell(message: object): void {
    this.listener({ v: VERSION, ...message }, []);
  }

  private answer(name: string, args: { text?: string; base?: number }): object {
    if (name === 'hello') {
      const rest = { catalog: [], catalog_problems: [], problems: [], trusted: true };
      const { text, revision } = this;
      return {
        result: { version: '', python: '', mode: 'file', path: 'p', text, revision, ...rest }
      };
    }
    if (name !== 'edit') {
      return { result: {} };
    }
    if (args.base !== this.revision) {
      return { error: { code: 'conflict', message: 'Changed.', where: '', remedy: '' } };
    }
    this.text = args.text ?? '';
    this.edits.push(this.text);
    this.revision += 1;
    return { result: { revision: this.revision, problems: [], stale: ['a'] } };
  }
}

async function open(follows = true, kernel = new Kernel()) {
  const document = new FlowDocument();
  document.load(named('trait'));
  const shared = {
    document,
    catalog: new Store(new Map()),
    problems: new Store<readonly Problem[]>([])
  };
  const link = new KernelLink(kernel, { runs: new RunStore(flush => flush()) });
  const trans = (message: string): string => message;
  const sync = new FlowSync({ controller: shared, link, follows, trans, path: () => 'p' });
  await vi.advanceTimersByTimeAsync(0);
  const name = (): string => document.flow.get().name;
  return { kernel, document, link, sync, name };
}

describe('one flow on two sides', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('takes the flow of the kernel first', async () => {
    const { name, sync } = await open();
    expect(name()).toBe('first');
    expect(sync.state.get()).toMatchObject({ mode: 'file', unsaved: false });
  });

  it('leaves the document of a host alone, and tells the kernel what it is', async () => {
    const { name, kernel, document } = await open(false);
    expect(name()).toBe('trait');
    document.edit('Rename', rename('mine'));
    await vi.advanceTimersByTimeAsync(300);
    expect(kernel.text).toBe(named('mine'));
  });

  it('sends what a host changed while the kernel was being told of its document', async () => {
    const { kernel, document, sync } = await open(false);
    kernel.closed.set(true);
    kernel.closed.set(false);
    document.edit('Rename', rename('mine'));
    await vi.advanceTimersByTimeAsync(300);
    expect(kernel.text).toBe(named('mine'));
    expect(sync.state.get().unsaved).toBe(false);
  });

  it('sends edits that were faster than the greeting, however the file is spelled', async () => {
    const kernel = new Kernel();
    kernel.text = JSON.stringify(JSON.parse(named('trait')));
    kernel.isSlow = true;
    const { document, sync } = await open(true, kernel);
    document.edit('Rename', rename('mine'));
    kernel.isSlow = false;
    kernel.send({ id: 1, do: 'hello', args: {} });
    await vi.advanceTimersByTimeAsync(300);
    expect(sync.state.get()).toMatchObject({ conflict: null, unsaved: false });
    expect(kernel.text).toBe(named('mine'));
  });

  it('sends edits together after a pause, and what was edited meanwhile after them', async () => {
    const { kernel, document, sync, link } = await open();
    document.edit('Rename', rename('one'));
    await vi.advanceTimersByTimeAsync(200);
    document.edit('Rename', rename('two'));
    await vi.advanceTimersByTimeAsync(299);
    expect(kernel.edits).toEqual([]);
    expect(sync.state.get().unsaved).toBe(true);
    const flushed = sync.flush();
    document.edit('Rename', rename('three'));
    await flushed;
    await vi.advanceTimersByTimeAsync(300);
    expect(kernel.edits).toEqual([named('two'), named('three')]);
    expect(sync.state.get().unsaved).toBe(false);
    expect(link.runs.node('a').stale).toBe(true);
  });

  it('takes over what others did while nothing was edited here', async () => {
    const { kernel, name } = await open();
    kernel.change(named('theirs'));
    expect(name()).toBe('theirs');
  });

  it.each(['before', 'by'])('asks who wins when both changed it, heard %s the edit', async when => {
    const { kernel, document, sync, name } = await open();
    document.edit('Rename', rename('mine'));
    kernel.change(named('theirs'), when === 'before');
    await vi.advanceTimersByTimeAsync(400);
    expect(sync.state.get().conflict?.text).toBe(named('theirs'));
    expect(name()).toBe('mine');
    document.edit('Rename', rename('mine still'));
    await vi.advanceTimersByTimeAsync(400);
    expect(kernel.text).toBe(named('theirs'));
    await sync.keepMine();
    expect(kernel.text).toBe(named('mine still'));
    expect(sync.state.get()).toMatchObject({ conflict: null, unsaved: false });
  });

  it('gives up edits when a person takes theirs', async () => {
    const { kernel, document, sync, name } = await open();
    document.edit('Rename', rename('mine'));
    kernel.change(named('theirs'));
    sync.takeTheirs();
    await vi.advanceTimersByTimeAsync(400);
    expect(name()).toBe('theirs');
    expect(kernel.edits).toEqual([]);
    document.edit('Rename', rename('next'));
    await vi.advanceTimersByTimeAsync(400);
    expect(kernel.text).toBe(named('next'));
  });

  it('keeps edits that are made while the kernel is gone, and sends them when it is back', async () => {
    const { kernel, document, sync, name } = await open();
    kernel.closed.set(true);
    document.edit('Rename', rename('alone'));
    await vi.advanceTimersByTimeAsync(400);
    expect(sync.state.get().unsaved).toBe(true);
    kernel.closed.set(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(kernel.text).toBe(named('alone'));
    expect(name()).toBe('alone');
  });

  it('sends again what a busy kernel did not answer, and sees no conflict with itself', async () => {
    const { kernel, document, sync } = await open();
    kernel.isSlow = true;
    document.edit('Rename', rename('one'));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(kernel.text).toBe(named('one'));
    document.edit('Rename', rename('two'));
    kernel.isSlow = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(sync.state.get()).toMatchObject({ conflict: null, unsaved: false, fault: '' });
    expect(kernel.text).toBe(named('two'));
  });

  it('goes on after a flow that no file can hold', async () => {
    const { kernel, document, sync } = await open();
    document.edit('Rename', rename('one'));
    const broken = vi.spyOn(document, 'text').mockImplementationOnce(() => {
      throw new Error('Too large.');
    });
    await sync.flush();
    expect(sync.state.get()).toMatchObject({ unsaved: true, fault: 'Too large.' });
    broken.mockRestore();
    await sync.flush();
    expect(kernel.text).toBe(named('one'));
  });

  it('sends nothing after it was disposed', async () => {
    const { kernel, document, sync } = await open();
    sync.dispose();
    document.edit('Rename', rename('late'));
    await vi.advanceTimersByTimeAsync(400);
    expect(kernel.edits).toEqual([]);
  });
});
