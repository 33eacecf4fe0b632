import { describe, expect, it, vi } from 'vitest';
import { ApiError, Client } from '../../src/api/client';
import type { Missed, RunSummary } from '../../src/api/types';

interface Asked {
  readonly path: string;
  readonly init: RequestInit;
}

/** A service that gives its answers in order, and what it was asked. */
function service(...answers: (Response | Error)[]): { client: Client; asked: Asked[] } {
  const asked: Asked[] = [];
  const client = new Client((path, init) => {
    asked.push({ path, init });
    const answer = answers.shift();
    return answer instanceof Response
      ? Promise.resolve(answer)
      : Promise.reject(answer ?? new Error('No more answers.'));
  });
  return { client, asked };
}

function answer(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status });
}

describe('the client', () => {
  it('asks for runs as they are filtered', async () => {
    const { client, asked } = service(answer([{ id: 'run-1' }]));
    const runs = await client.runs({ states: ['failed', 'waiting'], flow: 'a b.ipynb', limit: 5 });
    expect(runs).toEqual([{ id: 'run-1' }]);
    expect(asked[0]?.path).toBe('api/v1/runs?flow=a+b.ipynb&limit=5&state=failed&state=waiting');
  });

  it('sends what is to run as JSON', async () => {
    const { client, asked } = service(answer({ id: 'run-2' }, 201));
    const run = await client.start('a.ipynb', { n: 1 }, { queue: 'slow' });
    expect(run.id).toBe('run-2');
    expect(asked[0]?.init.method).toBe('POST');
    expect(JSON.parse(String(asked[0]?.init.body))).toEqual({
      target: 'a.ipynb',
      inputs: { n: 1 },
      options: { queue: 'slow' }
    });
  });

  it('writes ids and paths so that they stay one part of an address', async () => {
    const { client, asked } = service(answer({}), answer({}));
    await client.answer('run/1', { step: 'each[3]/ask', outcome: 'approved' });
    await client.parameters('folder/a b#c.ipynb');
    expect(asked.map(({ path }) => path)).toEqual([
      'api/v1/runs/run%2F1/answers',
      'api/v1/targets/folder/a%20b%23c.ipynb/parameters'
    ]);
  });

  it('searches all logs, and takes documents by their names', async () => {
    const headers = { 'Content-Disposition': "attachment; filename*=utf-8''n%C4%83m%20a.html" };
    const { client, asked } = service(
      answer({ lines: [], is_cut: false }),
      new Response('<p>', { headers }),
      answer({ detail: 'There is no run.', code: 'not-found' }, 404)
    );
    await client.search('a b\\(', 5);
    expect(asked[0]?.path).toBe('api/v1/logs?grep=a+b%5C%28&limit=5&ignore_case=true');
    const made = await client.export('run-1', 'html');
    expect(asked[1]?.path).toBe('api/v1/runs/run-1/export?to=html');
    expect(made.name).toBe('năm a.html');
    expect(await made.data.text()).toBe('<p>');
    await expect(client.zip('run-1')).rejects.toThrow('There is no run.');
  });

  it('tells a refusal in the words of the service', async () => {
    const { client } = service(
      answer({ detail: 'It is no cron.', code: 'input', where: 'cron', remedy: 'Use five' }, 422)
    );
    const refused = await client.cancel('run-1').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ApiError);
    expect(refused).toMatchObject({
      message: 'It is no cron. Use five.',
      status: 422,
      code: 'input',
      where: 'cron'
    });
  });

  it('tells what is no problem document by its status', async () => {
    const { client } = service(new Response('<html>', { status: 502 }));
    await expect(client.schedules()).rejects.toMatchObject({ message: 'HTTP 502', status: 502 });
  });

  it('tells that there was no answer', async () => {
    const { client } = service(new Error('Failed to fetch'));
    await expect(client.schedules()).rejects.toMatchObject({
      message: 'Failed to fetch',
      status: 0
    });
  });

  it('takes an answer without a body', async () => {
    const { client, asked } = service(new Response(null, { status: 204 }));
    await client.removeSchedule('sch-1');
    expect(asked[0]?.init.method).toBe('DELETE');
  });

  it('follows runs', async () => {
    const text = 'id: 7\ndata: {"id": "run-1", "state": "running"}\n\n: beat\n\n';
    const { client, asked } = service(new Response(text));
    const run = await new Promise<RunSummary>(resolve => {
      const end = client.follow({
        onRun: found => {
          end();
          resolve(found);
        }
      });
    });
    expect(run).toMatchObject({ id: 'run-1', state: 'running' });
    expect(asked[0]?.init.headers).toMatchObject({ Accept: 'text/event-stream' });
  });

  it('tells of what schedules missed', async () => {
    const text = 'event: missed\ndata: {"id": "s 1", "count": 3}\n\n';
    const { client } = service(new Response(text));
    const onRun = vi.fn();
    const missed = await new Promise<Missed>(resolve => {
      const end = client.follow({
        onRun,
        onMissed: found => {
          end();
          resolve(found);
        }
      });
    });
    expect(missed).toEqual({ id: 's 1', count: 3 });
    expect(onRun).not.toHaveBeenCalled();
  });

  it('tells which runs were removed', async () => {
    const { client } = service(new Response('event: removed\ndata: {"ids": ["1", "2"]}\n\n'));
    const ids = await new Promise<readonly string[]>(resolve => {
      const end = client.follow({
        onRun: vi.fn(),
        onRemoved: gone => {
          end();
          resolve(gone);
        }
      });
    });
    expect(ids).toEqual(['1', '2']);
  });
});
