/** What an inspector asks of the kernel, and what it makes of the answers. */
import { describe, expect, it, vi } from 'vitest';
import { translator } from '../../src/core/i18n';
import { Line, Replaced } from '../../src/inspector/line';
import { Inspector } from '../../src/inspector/model';
import { NO_LIMITS } from '../../src/inspector/limits';
import { HELLO, item, Kernel } from './stage';

function open(kernel: Kernel): Inspector {
  return new Inspector(new Line(kernel, 'The kernel is gone.'), translator('en'));
}

const PAGE = { items: [item(3), item(2)], more: true };
const DETAIL = { item: item(3), stands: true, versions: [item(3)], count: 1, episode: null };
const READS = {
  hello: () => HELLO,
  stats: () => HELLO,
  timeline: () => PAGE,
  detail: () => DETAIL
};

describe('the line', () => {
  it('gives the answer to what was asked last alone', async () => {
    const kernel = new Kernel();
    const line = new Line(kernel, 'gone');
    const first = line.ask('stats', {});
    const second = line.ask('stats', {});
    await expect(first).rejects.toBeInstanceOf(Replaced);
    const [old, last] = kernel.asked('stats');
    if (old && last) {
      kernel.reply(old, 'old');
      kernel.reply(last, 'new');
    }
    await expect(second).resolves.toBe('new');
  });

  it('passes over no change', async () => {
    const kernel = new Kernel();
    const line = new Line(kernel, 'gone');
    const both = [line.ask('forget', { id: 'a' }), line.ask('forget', { id: 'b' })];
    kernel.asked('forget').forEach(sent => kernel.reply(sent, { stood: true }));
    await expect(Promise.all(both)).resolves.toEqual([{ stood: true }, { stood: true }]);
  });

  it('does not hear what other views asked for', async () => {
    const kernel = new Kernel();
    const line = new Line(kernel, 'gone');
    const asked = line.ask('stats', {});
    const [sent] = kernel.sent;
    if (sent) {
      kernel.reply({ ...sent, view: 'other' }, 'theirs');
      kernel.reply(sent, 'ours');
    }
    await expect(asked).resolves.toBe('ours');
  });

  it('says that the kernel is gone, to who waits and who asks then', async () => {
    const kernel = new Kernel();
    const line = new Line(kernel, 'The kernel is gone.');
    const waiting = line.ask('stats', {});
    kernel.closed.set(true);
    await expect(waiting).rejects.toThrow('The kernel is gone.');
    await expect(line.ask('stats', {})).rejects.toThrow('The kernel is gone.');
  });

  it('says when the kernel is busy, until it answers', async () => {
    vi.useFakeTimers();
    const kernel = new Kernel();
    const line = new Line(kernel, 'gone');
    const asked = line.ask('stats', {});
    await vi.advanceTimersByTimeAsync(10_000);
    expect(line.slow.get()).toBe(true);
    kernel.sent.forEach(sent => kernel.reply(sent, {}));
    await asked;
    expect(line.slow.get()).toBe(false);
    vi.useRealTimers();
  });
});

describe('the timeline', () => {
  it('asks for earlier ones from where it ends', async () => {
    const kernel = new Kernel(READS);
    const inspector = open(kernel);
    await inspector.start();
    expect(inspector.state.get().timeline.items.map(one => one.n)).toEqual([3, 2]);
    await inspector.earlier();
    expect(kernel.asked('timeline').at(-1)?.args.before).toEqual([2, 2]);
    expect(inspector.state.get().timeline.items).toHaveLength(4);
    expect(inspector.state.get().said).toBe('Earlier memories shown: 2');
  });

  it('begins anew when it is limited', async () => {
    const kernel = new Kernel(READS);
    const inspector = open(kernel);
    await inspector.start();
    inspector.limit({ kind: 'semantic', tags: ' a, b ,a' }, true);
    const asked = kernel.asked('timeline').at(-1)?.args;
    expect(asked).toMatchObject({ before: null, limit: 50, ended: true });
    expect(asked?.limits).toMatchObject({ kinds: ['semantic'], tags: ['a', 'b'] });
    inspector.limit(NO_LIMITS, false);
    expect(kernel.asked('timeline').at(-1)?.args).toMatchObject({ ended: false });
  });

  it('keeps what it shows when the kernel refuses, and says why', async () => {
    const refuse = (): never => {
      throw new Error('It is damaged');
    };
    const kernel = new Kernel({ ...READS, timeline: refuse });
    const inspector = open(kernel);
    await inspector.start();
    expect(inspector.state.get().timeline).toMatchObject({ busy: false, fault: 'It is damaged' });
  });
});

describe('the search', () => {
  it('shows the answer to the last question alone', async () => {
    const kernel = new Kernel();
    const inspector = open(kernel);
    const first = inspector.search('one');
    const second = inspector.search('two');
    const [, last] = kernel.asked('search');
    if (last) {
      kernel.reply(last, { hits: [], more: false });
    }
    await Promise.all([first, second]);
    expect(inspector.state.get().results).toMatchObject({ text: 'two', busy: false, fault: '' });
  });
});

describe('a memory that is opened', () => {
  it('gives way to another that is opened meanwhile', async () => {
    const kernel = new Kernel();
    const inspector = open(kernel);
    const both = [inspector.open('m3'), inspector.open('m2')];
    const [old, last] = kernel.asked('detail');
    if (old && last) {
      kernel.reply(last, { ...DETAIL, item: item(2) });
      kernel.reply(old, DETAIL);
    }
    await Promise.all(both);
    expect(inspector.state.get().opened).toMatchObject({ id: 'm2', detail: { item: { n: 2 } } });
  });

  it('is edited as the version that was looked at, and read anew', async () => {
    const kernel = new Kernel({ ...READS, edit: () => ({ id: 'm3', is_new: true }) });
    const inspector = open(kernel);
    await inspector.start();
    await inspector.open('m3');
    inspector.begin('edit');
    await inspector.edit({ text: 'new' });
    expect(kernel.asked('edit')[0]?.args).toEqual({ id: 'm3', n: 3, text: 'new' });
    expect(inspector.state.get().opened).toMatchObject({ doing: '', busy: false });
    expect(inspector.state.get().said).toContain('Saved.');
    expect(kernel.asked('detail')).toHaveLength(2);
    expect(kernel.asked('timeline')).toHaveLength(2);
  });

  it('stays open in its form when an edit is refused', async () => {
    const refuse = (): never => {
      throw new Error('The memory was changed meanwhile');
    };
    const kernel = new Kernel({ ...READS, edit: refuse });
    const inspector = open(kernel);
    await inspector.open('m3');
    inspector.begin('edit');
    await inspector.edit({ text: 'new' });
    const { opened } = inspector.state.get();
    expect(opened).toMatchObject({ doing: 'edit', fault: 'The memory was changed meanwhile' });
  });

  it('stands where it was opened', async () => {
    const kernel = new Kernel(READS);
    const inspector = open(kernel);
    inspector.show('search');
    await inspector.open('m3');
    inspector.show('timeline');
    expect(inspector.state.get()).toMatchObject({ view: 'timeline', opened: { view: 'search' } });
  });

  it('is closed when it was erased', async () => {
    const kernel = new Kernel({ ...READS, erase: () => ({ items: 2, episodes: 1 }) });
    const inspector = open(kernel);
    await inspector.open('m3');
    await inspector.erase();
    expect(inspector.state.get().opened).toBeNull();
    expect(inspector.state.get().said).toContain('versions: 2, texts: 1');
  });

  it('cannot be changed in the past', async () => {
    const kernel = new Kernel(READS);
    const inspector = open(kernel);
    expect(inspector.isPast).toBe(true); // nothing is known yet
    await inspector.start();
    expect(inspector.isPast).toBe(false);
    inspector.limit({ asOf: '2026-11-01T10:00' });
    expect(inspector.isPast).toBe(true);
  });
});
