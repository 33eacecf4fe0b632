/** Server-sent events over `fetch`, which may carry headers; a lost connection is taken up again. */

export interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Asks the service; it knows addresses, tokens and cookies. */
export type Fetcher = (path: string, init: RequestInit) => Promise<Response>;

export interface Follower {
  onEvent(event: ServerEvent): void;
  /** The connection stands again, or is lost for a reason. */
  onState?(lost: unknown): void;
}

/** Pauses between attempts, in milliseconds; the last is repeated. */
const PAUSES = [500, 1000, 2000, 5000, 10_000];

/** Takes the text of a stream apart, as it comes. */
export class EventParser {
  private rest = '';
  private id = '';
  private event = '';
  private data: string[] = [];

  /** The events that are complete with this piece. */
  *feed(piece: string): Generator<ServerEvent> {
    // A line's end may be cut in two: a return at the very end waits for what follows.
    const text = this.rest + piece;
    const held = text.endsWith('\r') ? 1 : 0;
    const lines = text.slice(0, text.length - held).split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? '') + text.slice(text.length - held);
    for (const line of lines) {
      if (line !== '') {
        this.take(line);
      } else if (this.data.length > 0) {
        yield { id: this.id, event: this.event || 'message', data: this.data.join('\n') };
        this.data = [];
        this.event = '';
      } else {
        this.event = '';
      }
    }
  }

  private take(line: string): void {
    const at = line.indexOf(':');
    const [field, value] = at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
    const text = value.startsWith(' ') ? value.slice(1) : value;
    if (field === 'data') {
      this.data.push(text);
    } else if (field === 'event') {
      this.event = text;
    } else if (field === 'id' && !text.includes('\0')) {
      this.id = text;
    }
  }
}

/** Follow a stream until the returned function is called. */
export function follow(fetcher: Fetcher, path: string, follower: Follower): () => void {
  const ending = new AbortController();
  void stay(fetcher, path, follower, ending.signal);
  return () => ending.abort();
}

async function stay(
  fetcher: Fetcher,
  path: string,
  follower: Follower,
  signal: AbortSignal
): Promise<void> {
  let last = '';
  let failures = 0;
  while (!signal.aborted) {
    try {
      const response = await open(fetcher, path, last, signal);
      failures = 0;
      follower.onState?.(null);
      for await (const event of read(response, signal)) {
        last = event.id || last;
        follower.onEvent(event);
      }
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      follower.onState?.(error);
    }
    await pause(PAUSES[Math.min(failures, PAUSES.length - 1)] ?? 0, signal);
    failures += 1;
  }
}

async function open(
  fetcher: Fetcher,
  path: string,
  last: string,
  signal: AbortSignal
): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'text/event-stream' };
  if (last) {
    headers['Last-Event-ID'] = last;
  }
  return fetcher(path, { headers, signal });
}

async function* read(response: Response, signal: AbortSignal): AsyncGenerator<ServerEvent> {
  const parser = new EventParser();
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  while (reader && !signal.aborted) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    yield* parser.feed(decoder.decode(value, { stream: true }));
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', end, { once: true });
  });
}
