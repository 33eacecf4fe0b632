import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EventParser, follow, type ServerEvent } from '../../src/api/sse';

const TEXT =
  ': hello\r\nid: 1\nevent: run\ndata: {"a":\ndata:  1}\n\n\nid: 2\rdata\r\rdata: ünï\nretry: 5\n\nid: 3\n\ndata: cut';
const EVENTS: readonly ServerEvent[] = [
  { id: '1', event: 'run', data: '{"a":\n 1}' },
  { id: '2', event: 'message', data: '' },
  { id: '2', event: 'message', data: 'ünï' }
];

afterEach(() => void vi.useRealTimers());

describe('a stream of events', () => {
  it('is read the same however it is cut', () => {
    const cuts = fc.array(fc.nat(TEXT.length), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, places => {
        const parser = new EventParser();
        const ends = [...new Set([...places, TEXT.length])].sort((a, b) => a - b);
        const found = ends.flatMap((end, at) => [
          ...parser.feed(TEXT.slice(at ? ends[at - 1] : 0, end))
        ]);
        expect(found).toEqual(EVENTS);
      })
    );
  });
});

describe('following', () => {
  it('goes on after the last event when the connection is lost', async () => {
    vi.useFakeTimers();
    const asked: (string | undefined)[] = [];
    const lost: unknown[] = [];
    const answers: (() => Promise<Response>)[] = [
      () => Promise.resolve(new Response('id: 5\ndata: a\n\n')),
      () => Promise.reject(new Error('away')),
      () => Promise.resolve(new Response('id: 6\ndata: b\n\n'))
    ];
    const found: string[] = [];
    await new Promise<void>(resolve => {
      const end = follow(
        (_, init) => {
          asked.push((init.headers as Record<string, string>)['Last-Event-ID']);
          return (answers.shift() ?? (() => Promise.reject(new Error('none'))))();
        },
        'events',
        {
          onEvent: ({ data }) => {
            found.push(data);
            if (found.length === 2) {
              end();
              resolve();
            }
          },
          onState: error => lost.push(error instanceof Error ? error.message : error)
        }
      );
      void vi.advanceTimersByTimeAsync(10_000);
    });
    expect(found).toEqual(['a', 'b']);
    expect(asked).toEqual([undefined, '5', '5']);
    expect(lost).toEqual([null, 'away', null]);
  });

  it('ends at once, also while it pauses', async () => {
    vi.useFakeTimers();
    const asked = vi.fn(() => Promise.reject(new Error('away')));
    const end = follow(asked, 'events', { onEvent: () => undefined });
    await vi.advanceTimersByTimeAsync(100);
    end();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveBeenCalledTimes(1);
  });
});
