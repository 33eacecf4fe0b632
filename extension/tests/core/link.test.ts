import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KernelError, KernelLink, type Transport } from '../../src/core/link';
import { IDLE, NO_RUN, VERSION } from '../../src/core/protocol';
import { RunStore } from '../../src/core/runs';
import { Store } from '../../src/core/store';

type Sent = { id: number; do: string; args: unknown };

class Line implements Transport {
  readonly closed = new Store(false);
  readonly sent: Sent[] = [];
  dead = false;
  private listener: (message: unknown, buffers: DataView[]) => void = () => undefined;

  send(message: unknown): void {
    if (this.dead) {
      throw new Error('dead');
    }
    this.sent.push(message as Sent);
  }

  onMessage(listener: (message: unknown, buffers: DataView[]) => void): () => void {
    this.listener = listener;
    return () => undefined;
  }

  tell(message: object, buffers: DataView[] = []): void {
    this.listener({ v: VERSION, ...message }, buffers);
  }

  get names(): string[] {
    return this.sent.map(message => message.do);
  }

  answer(result: object = {}): void {
    this.tell({ reply: this.sent.at(-1)?.id, result });
  }
}

const HELLO = {
  version: '1',
  python: '3',
  mode: 'file',
  path: 'a',
  text: '',
  revision: 1,
  catalog: [],
  catalog_problems: [],
  problems: [],
  trusted: true
};

async function ready(): Promise<{ line: Line; link: KernelLink }> {
  const line = new Line();
  const link = new KernelLink(line, { runs: new RunStore(flush => flush()) });
  const hello = link.hello({ path: 'a' });
  line.answer(HELLO);
  await hello;
  line.answer();
  line.tell({ seq: 5, snapshot: { run: NO_RUN, nodes: { a: { ...IDLE, text: 'snap' } } } });
  line.sent.splice(0);
  return { line, link };
}

async function failure(request: Promise<unknown>): Promise<KernelError> {
  return request.then(
    () => expect.unreachable('it was answered'),
    (error: KernelError) => error
  );
}

describe('the link', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('shows that it is there when it is told something, now and then', async () => {
    const { line, link } = await ready();
    line.tell({ seq: 6, events: [] });
    expect(line.names).toEqual([]);
    vi.advanceTimersByTime(15_000);
    line.tell({ seq: 7, events: [] });
    line.tell({ seq: 8, events: [] });
    expect(line.names).toEqual(['here']);
    vi.advanceTimersByTime(60_000);
    line.tell({ push: { problems: [] } });
    expect(line.names).toEqual(['here', 'here']);
    expect(link.status.get()).toBe('ready');
  });

  it('asks for the whole state when the page has slept', async () => {
    const { line, link } = await ready();
    link.refresh();
    link.refresh();
    expect(line.names).toEqual(['snapshot']);
    line.closed.set(true);
    link.refresh();
    expect(line.names).toEqual(['snapshot']);
  });

  it('greets, asks for the state and is ready', async () => {
    const { link } = await ready();
    expect(link.status.get()).toBe('ready');
    expect(link.info.get()?.path).toBe('a');
    expect(link.runs.node('a').text).toBe('snap');
  });

  it('matches replies with requests, in any order, with their buffers', async () => {
    const { line, link } = await ready();
    const first = link.request('secrets', {});
    const second = link.requestBinary('stop', {});
    const [one, two] = line.sent;
    const buffer = new DataView(new ArrayBuffer(3));
    line.tell({ reply: two?.id, result: {} }, [buffer]);
    line.tell({ reply: one?.id, result: { names: ['x'] } });
    expect((await first).names).toEqual(['x']);
    expect((await second).buffers).toEqual([buffer]);
    line.tell({ reply: 999_999_999_999, result: {} });
  });

  it('rejects with the sentence and the remedy of the kernel', async () => {
    const { line, link } = await ready();
    const failed = failure(link.request('stop', {}));
    const error = { code: 'conflict', message: 'It changed.', where: 'a', remedy: 'Look again.' };
    line.tell({ reply: line.sent[0]?.id, error });
    expect(await failed).toMatchObject({
      code: 'conflict',
      message: 'It changed. Look again.',
      where: 'a'
    });
  });

  it('says when the kernel does not answer, and takes no late answer', async () => {
    const { line, link } = await ready();
    const failed = failure(link.request('stop', {}));
    vi.advanceTimersByTime(20_000);
    expect(await failed).toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('"stop" within 20 s')
    });
    line.answer();
  });

  it('waits for a greeting as long as it takes', async () => {
    const line = new Line();
    const link = new KernelLink(line);
    const hello = link.hello({});
    vi.advanceTimersByTime(3_600_000);
    line.answer(HELLO);
    expect((await hello).path).toBe('a');
  });

  it('applies numbered events, and forgets what it has already', async () => {
    const { line, link } = await ready();
    line.tell({ seq: 6, events: [['a', { log_append: 'x' }]] });
    line.tell({ seq: 6, events: [['a', { log_append: 'x' }]] });
    line.tell({ seq: 4, events: [['a', { log_append: 'x' }]] });
    expect(link.runs.node('a').log).toBe('x');
    expect(line.sent).toEqual([]);
  });

  it('asks once for a snapshot when a number is missing, and goes on from there', async () => {
    const { line, link } = await ready();
    line.tell({ seq: 8, events: [['a', { text: 'eight' }]] });
    line.tell({ seq: 9, events: [['a', { text: 'nine' }]] });
    expect(line.names).toEqual(['snapshot']);
    expect(link.runs.node('a').text).toBe('snap');
    line.answer();
    line.tell({ seq: 9, snapshot: { run: NO_RUN, nodes: { a: { ...IDLE, text: 'nine' } } } });
    line.tell({ seq: 10, events: [['a', { text: 'ten' }]] });
    expect(link.runs.node('a').text).toBe('ten');
    expect(line.names).toEqual(['snapshot']);
  });

  it('asks again, less and less often, while no snapshot comes', async () => {
    const { line, link } = await ready();
    line.tell({ seq: 8, events: [] });
    line.answer(); // and what should have followed was lost
    await vi.advanceTimersByTimeAsync(4_999);
    expect(line.names).toEqual(['snapshot']);
    await vi.advanceTimersByTimeAsync(1);
    line.tell({ seq: 9, events: [] });
    expect(line.names).toEqual(['snapshot', 'snapshot']);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(line.sent).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(line.sent).toHaveLength(3);
    line.tell({ seq: 9, snapshot: { run: NO_RUN, nodes: { a: { ...IDLE, text: 'nine' } } } });
    expect(link.runs.node('a').text).toBe('nine');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(line.sent).toHaveLength(3);
  });

  it.each(['closed', 'disposed'])('asks no more when it is %s', async how => {
    const { line, link } = await ready();
    link.refresh();
    void (how === 'closed' ? line.closed.set(true) : link.dispose());
    line.closed.set(false);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(line.names).toEqual(['snapshot']);
  });

  it('rejects what is open when the kernel is gone, and refuses more', async () => {
    const { line, link } = await ready();
    const failed = failure(link.request('stop', {}));
    line.closed.set(true);
    expect((await failed).code).toBe('lost');
    expect(link.status.get()).toBe('lost');
    expect((await failure(link.request('stop', {}))).code).toBe('lost');
    line.closed.set(false);
    expect(link.status.get()).toBe('connecting');
  });

  it('rejects when the line is dead', async () => {
    const { line, link } = await ready();
    line.dead = true;
    expect((await failure(link.request('stop', {}))).code).toBe('lost');
  });

  it('tells a kernel that is on its way back from one that is gone', async () => {
    const { line, link } = await ready();
    link.expectBack(true);
    expect(link.status.get()).toBe('ready');
    line.closed.set(true);
    link.expectBack(true);
    expect(link.status.get()).toBe('returning');
    expect((await failure(link.request('stop', {}))).code).toBe('lost');
    link.expectBack(false);
    expect(link.status.get()).toBe('lost');
    line.closed.set(false);
    expect(link.status.get()).toBe('connecting');
  });

  it('names the remedy when versions differ', async () => {
    const { line, link } = await ready();
    const failed = failure(link.request('stop', {}));
    line.tell({ v: VERSION + 1, seq: 1, events: [] });
    expect(link.status.get()).toBe('outdated');
    expect((await failed).message).toContain('Install the same version');
  });

  it('ignores what is no message', async () => {
    const { line, link } = await ready();
    [null, 1, 'x', [], {}, { v: VERSION }].forEach(message => line['listener'](message, []));
    expect(link.status.get()).toBe('ready');
  });
});
