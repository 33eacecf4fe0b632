/** The routes of the service as functions. */
import type { Json, JsonObject } from '../core/flow';
import { follow, type Fetcher } from './sse';
import type {
  Answer,
  DocumentForm,
  FoundLines,
  LogLine,
  Miss,
  Missed,
  NewSchedule,
  Preview,
  Run,
  RunDiff,
  RunOptions,
  RunSummary,
  Schedule,
  Schedules,
  Secret,
  System,
  When
} from './types';

/** What the service refuses, in its own words. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    message: string,
    /** HTTP status; 0: there was no answer. */
    readonly status: number,
    readonly code: string = '',
    /** The field that is wrong; "": none is. */
    readonly where: string = '',
    readonly remedy: string = ''
  ) {
    super(remedy ? `${message} ${remedy}${/[.!?…]$/.test(remedy) ? '' : '.'}` : message);
  }
}

export interface RunFilter {
  readonly states?: readonly string[];
  readonly flow?: string;
  /** The next page: the id of the last run of the page before. */
  readonly before?: string;
  readonly limit?: number;
}

export interface Retry {
  /** Whether the file is taken as it is now. */
  readonly latest?: boolean;
  /** A node that is executed again with all that follows it. */
  readonly start?: string;
}

export interface Download {
  /** The name of the file. */
  readonly name: string;
  readonly data: Blob;
}

export interface Watcher {
  /** A run has changed. */
  onRun(run: RunSummary): void;
  /** A schedule has missed moments; told again after a lost connection. */
  onMissed?(missed: Missed): void;
  /** Runs were removed. */
  onRemoved?(ids: readonly string[]): void;
  /** The connection stands again, or is lost for a reason. */
  onState?(lost: unknown): void;
}

const ROOT = 'api/v1/';

export class Client {
  constructor(private readonly fetcher: Fetcher) {}

  runs(filter: RunFilter = {}): Promise<readonly RunSummary[]> {
    const { states = [], ...rest } = filter;
    return this.get(`runs${query({ ...rest, state: states })}`);
  }

  run(id: string): Promise<Run> {
    return this.get(`runs/${segment(id)}`);
  }

  start(target: string, inputs: JsonObject, options: RunOptions): Promise<RunSummary> {
    return this.post('runs', { target, inputs, options });
  }

  cancel(id: string): Promise<unknown> {
    return this.post(`runs/${segment(id)}/cancel`);
  }

  retry(id: string, how: Retry = {}): Promise<RunSummary> {
    return this.post(`runs/${segment(id)}/retry`, how);
  }

  answer(id: string, answer: Answer): Promise<unknown> {
    return this.post(`runs/${segment(id)}/answers`, answer);
  }

  /** The last texts of a run's steps and cells; `grep`: only those that hold this text. */
  logs(id: string, grep = '', limit?: number): Promise<readonly LogLine[]> {
    return this.get(`runs/${segment(id)}/logs${query({ grep, limit })}`);
  }

  /** Lines of all runs that match a regular expression, in any case. */
  search(grep: string, limit: number): Promise<FoundLines> {
    return this.get(`logs${query({ grep, limit, ignore_case: 'true' })}`);
  }

  /** A run's output notebook as a document to be stored. */
  export(id: string, to: DocumentForm): Promise<Download> {
    return this.download(`runs/${segment(id)}/export${query({ to })}`);
  }

  /** All that a run left. */
  zip(id: string): Promise<Download> {
    return this.download(`runs/${segment(id)}/zip`);
  }

  diff(old: string, other: string): Promise<RunDiff> {
    return this.get(`runs/${segment(old)}/diff/${segment(other)}`);
  }

  system(): Promise<System> {
    return this.get('system');
  }

  /** The output notebook of a run, as its file says. */
  notebook(id: string): Promise<JsonObject> {
    return this.get(`runs/${segment(id)}/notebook`);
  }

  /** JSON Schema of the values that a flow or notebook takes. */
  parameters(path: string): Promise<JsonObject> {
    return this.get(`targets/${path.split('/').map(segment).join('/')}/parameters`);
  }

  schedules(): Promise<Schedules> {
    return this.get('schedules');
  }

  schedule(id: string): Promise<Schedule> {
    return this.get(`schedules/${segment(id)}`);
  }

  addSchedule(wanted: NewSchedule): Promise<Schedule> {
    return this.post('schedules', wanted);
  }

  editSchedule(id: string, wanted: NewSchedule): Promise<Schedule> {
    return this.send('PUT', `schedules/${segment(id)}`, wanted);
  }

  removeSchedule(id: string): Promise<void> {
    return this.send('DELETE', `schedules/${segment(id)}`);
  }

  /** The next ten moments of a rule that is not saved. */
  preview(when: When): Promise<Preview> {
    return this.post('schedules/preview', when);
  }

  misses(id: string): Promise<readonly Miss[]> {
    return this.get(`schedules/misses${query({ schedule: id })}`);
  }

  pause(id: string): Promise<Schedule> {
    return this.post(`schedules/${segment(id)}/pause`);
  }

  resume(id: string): Promise<Schedule> {
    return this.post(`schedules/${segment(id)}/resume`);
  }

  runNow(id: string): Promise<{ readonly id: string }> {
    return this.post(`schedules/${segment(id)}/run`);
  }

  secrets(): Promise<readonly Secret[]> {
    return this.get('secrets');
  }

  setSecret(name: string, value: string): Promise<Secret> {
    return this.send('PUT', `secrets/${segment(name)}`, { value });
  }

  removeSecret(name: string): Promise<void> {
    return this.send('DELETE', `secrets/${segment(name)}`);
  }

  /** Follow what goes on, until the returned function is called. */
  follow({ onRun, onMissed, onRemoved, onState }: Watcher): () => void {
    return follow((path, init) => this.open(path, init), 'events', {
      onEvent: ({ event, data }) => {
        if (event === 'message') {
          onRun(JSON.parse(data) as RunSummary);
        } else if (event === 'missed') {
          onMissed?.(JSON.parse(data) as Missed);
        } else if (event === 'removed') {
          onRemoved?.((JSON.parse(data) as { readonly ids: readonly string[] }).ids);
        }
      },
      onState
    });
  }

  private get<Result>(path: string): Promise<Result> {
    return this.ask(path, {});
  }

  private post<Result>(path: string, body: object = {}): Promise<Result> {
    return this.send('POST', path, body);
  }

  private send<Result>(method: string, path: string, body?: object): Promise<Result> {
    const headers = { 'Content-Type': 'application/json' };
    return this.ask(path, body ? { method, headers, body: JSON.stringify(body) } : { method });
  }

  private async ask<Result>(path: string, init: RequestInit): Promise<Result> {
    const headers = { Accept: 'application/json', ...init.headers };
    const response = await this.open(path, { ...init, headers });
    return (response.status === 204 ? undefined : await response.json()) as Result;
  }

  private async download(path: string): Promise<Download> {
    const response = await this.open(path, {});
    const said = response.headers.get('Content-Disposition') ?? '';
    const [, name = ''] = /filename\*=utf-8''([^;]+)/i.exec(said) ?? [];
    return { name: decodeURIComponent(name), data: await response.blob() };
  }

  /** An answer that is no refusal. */
  private async open(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await this.fetcher(ROOT + path, init);
    } catch (error) {
      throw new ApiError(error instanceof Error ? error.message : String(error), 0);
    }
    if (!response.ok) {
      throw await problem(response);
    }
    return response;
  }
}

/** Read a problem document; of anything else only the status is known. */
async function problem(response: Response): Promise<ApiError> {
  const { status } = response;
  try {
    const said = (await response.json()) as Readonly<Record<string, Json | undefined>>;
    const text = (name: string): string => (typeof said[name] === 'string' ? said[name] : '');
    const message = text('detail') || text('title') || text('message');
    return new ApiError(
      message || `HTTP ${status}`,
      status,
      text('code'),
      text('where'),
      text('remedy')
    );
  } catch {
    return new ApiError(`HTTP ${status}`, status);
  }
}

function segment(text: string): string {
  return encodeURIComponent(text);
}

type Value = string | number | readonly string[] | undefined;

function query(values: Readonly<Record<string, Value>>): string {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    const all = Array.isArray(value) ? (value as readonly string[]) : [value as string];
    all.filter(Boolean).forEach(one => asked.append(name, String(one)));
  }
  const text = asked.toString();
  return text ? `?${text}` : '';
}
