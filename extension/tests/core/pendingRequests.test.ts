import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Transport } from '../../src/core/link';
import { PendingRequests } from '../../src/core/pendingRequests';
import { Store } from '../../src/core/store';

interface Question {
  readonly about: string;
}

class Wire implements Transport {
  readonly closed = new Store(false);
  readonly sent: (Question & { view: string; id: number })[] = [];

  send(message: unknown): void {
    this.sent.push(message as (typeof this.sent)[number]);
  }

  onMessage(): () => void {
    return () => undefined;
  }
}

let wire: Wire;
let requests: PendingRequests<Question>;

beforeEach(() => {
  vi.useFakeTimers();
  wire = new Wire();
  requests = new PendingRequests(wire, () => new Error('gone'));
});

afterEach(() => {
  requests.dispose();
  vi.useRealTimers();
});

function answer(n: number, result: unknown, error: Error | null = null): void {
  const { view, id } = wire.sent[n] as (typeof wire.sent)[number];
  requests.settle(view, id, error, result);
}

describe('requests that wait', () => {
  it('get the answers that name them, in any order', async () => {
    const first = requests.send({ about: 'a' });
    const second = requests.send({ about: 'b' });
    expect(wire.sent.map(({ about }) => about)).toEqual(['a', 'b']);
    answer(1, 'B');
    answer(0, null, new Error('No.'));
    await expect(second).resolves.toBe('B');
    await expect(first).rejects.toThrow('No.');
  });

  it('leave the answers of other views, and a second answer, alone', async () => {
    const other = new PendingRequests<Question>(wire, () => new Error('gone'));
    const mine = requests.send({ about: 'a' });
    const theirs = other.send({ about: 'b' });
    answer(1, 'B');
    answer(0, 'A');
    answer(0, 'again');
    await expect(mine).resolves.toBe('A');
    other.dispose();
    await expect(theirs).rejects.toThrow('gone');
  });

  it('end with the kernel, and none begins without it', async () => {
    const waiting = requests.send({ about: 'a' });
    wire.closed.set(true);
    await expect(waiting).rejects.toThrow('gone');
    await expect(requests.send({ about: 'b' })).rejects.toThrow('gone');
    expect(wire.sent).toHaveLength(1);
    wire.closed.set(false);
    const again = requests.send({ about: 'c' });
    answer(1, 'C');
    await expect(again).resolves.toBe('C');
  });

  it('end when they cannot be sent', async () => {
    wire.send = () => {
      throw new Error('The comm is dead.');
    };
    await expect(requests.send({ about: 'a' })).rejects.toThrow('gone');
    vi.advanceTimersByTime(10_000);
    expect(requests.slow.get()).toBe(false);
  });

  it('can be given up by what they are about', async () => {
    const one = requests.send({ about: 'a' });
    const two = requests.send({ about: 'b' });
    requests.rejectAll(
      () => new Error('replaced'),
      ({ about }) => about === 'a'
    );
    answer(1, 'B');
    await expect(one).rejects.toThrow('replaced');
    await expect(two).resolves.toBe('B');
  });

  it('say that the kernel is busy until nothing is waited for', () => {
    const kept = [requests.send({ about: 'a' }), requests.send({ about: 'b' })];
    expect(requests.slow.get()).toBe(false);
    vi.advanceTimersByTime(3_000);
    expect(requests.slow.get()).toBe(true);
    answer(0, 'A');
    expect(requests.slow.get()).toBe(true);
    answer(1, 'B');
    expect(requests.slow.get()).toBe(false);
    return Promise.all(kept);
  });
});
