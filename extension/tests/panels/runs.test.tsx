import { act } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError, type Client, type Watcher } from '../../src/api/client';
import type { RunSummary } from '../../src/api/types';
import { Spending } from '../../src/panels/Budget';
import { patternOf } from '../../src/panels/LogSearch';
import { Runs } from '../../src/panels/Runs';
import { RunsStore } from '../../src/panels/runsStore';
import { click, hostOf, leave, named, press, run, show, type, until } from './stage';

afterEach(leave);

function service(runs: readonly RunSummary[], more: object = {}): Client {
  const details = (id: string): object => ({
    ...runs.find(each => each.id === id),
    inputs: {},
    steps: [{ step: 'notebook', node: 'notebook', type: 'notebook', state: 'completed' }]
  });
  return {
    runs: () => Promise.resolve(runs),
    run: (id: string) => Promise.resolve(details(id)),
    logs: vi.fn(() => Promise.resolve([])),
    system: () => Promise.resolve({ shortage: null }),
    search: vi.fn(() => Promise.resolve({ lines: [], is_cut: false })),
    ...more
  } as unknown as Client;
}

async function opened(client: Client, change = {}) {
  const store = new RunsStore(client);
  await store.load();
  const host = hostOf(client, change);
  return { store, host, page: await show(host, <Runs store={store} />) };
}

function entries(page: HTMLElement): HTMLElement[] {
  return [...page.querySelectorAll<HTMLElement>('.iai-Runs-run')];
}

describe('the list of runs', () => {
  it('says of a run that was removed that it is gone, and leads back', async () => {
    let gone = false;
    let remove: (ids: readonly string[]) => void = () => undefined;
    const client = service([run('1')], {
      run: (id: string) =>
        gone
          ? Promise.reject(new ApiError(`There is no run '${id}'.`, 404))
          : Promise.resolve({ ...run(id), inputs: {}, steps: [] }),
      follow: (watcher: Watcher) => {
        remove = ids => watcher.onRemoved?.(ids);
        return () => undefined;
      }
    });
    const { store, page } = await opened(client);
    store.start();
    await click(entries(page)[0] as HTMLElement);
    gone = true;
    await act(async () => remove(['1']));
    await until(() => page.textContent?.includes("There is no run '1'.") === true);
    expect(document.activeElement?.textContent).toBe('← All runs');
    await click(named(page, 'button', '← All runs'));
    expect(entries(page)).toEqual([]);
  });

  it('has one tab stop, and is walked by arrow keys, Home and End', async () => {
    const { page, store } = await opened(service([run('3'), run('2'), run('1')]));
    const [first, second, third] = entries(page);
    expect(entries(page).map(entry => entry.tabIndex)).toEqual([0, -1, -1]);
    first?.focus();
    press('ArrowUp');
    expect(document.activeElement).toBe(first);
    press('ArrowDown');
    expect(document.activeElement).toBe(second);
    press('End');
    expect(document.activeElement).toBe(third);
    press('ArrowDown');
    expect(document.activeElement).toBe(third);
    expect(entries(page).map(entry => entry.tabIndex)).toEqual([-1, -1, 0]);
    press('Home');
    expect(document.activeElement).toBe(first);
    await click(second as HTMLElement);
    expect(store.state.get().chosen).toBe('2');
    expect(document.activeElement?.textContent).toContain('All runs');
    await click(named(page, 'button', '← All runs'));
    expect((document.activeElement as HTMLElement).dataset.run).toBe('2');
  });

  it('says why queued runs do not begin', async () => {
    const shortage = { what: 'disk', free: 12_000_000, needed: 500_000_000 };
    const system = () => Promise.resolve({ shortage });
    const { page } = await opened(service([run('1', { state: 'queued' })], { system }));
    await until(() =>
      expect(page.querySelector('.iai-Panel-warning')?.textContent).toContain(
        'The disk is nearly full: 12 MB free, 500 MB needed.'
      )
    );
  });
});

describe('a panel that nobody has looked at', () => {
  it('asks the service for nothing, which would make the folder a workspace', async () => {
    const asked = vi.fn(() => Promise.reject(new Error('asked')));
    const client = new Proxy({} as Client, { get: () => asked });
    await show(hostOf(client), <Runs store={new RunsStore(client)} />);
    expect(asked).not.toHaveBeenCalled();
  });
});

describe('the search in all logs', () => {
  const line = {
    run_id: '1',
    flow: 'deep/a.ipynb',
    step: 'notebook',
    seq: 4,
    at: '2026-11-23T06:00:00Z',
    text: 'read 3 (of 4) rows'
  };

  it('leads to the run and the step', async () => {
    const search = vi.fn(() => Promise.resolve({ lines: [line], is_cut: false }));
    const client = service([run('2'), run('1')], { search });
    const { page, store } = await opened(client);
    await type(named(page, 'input', 'Search the logs of all runs'), ' 3 (of');
    await until(() => expect(search).toHaveBeenCalledWith('3 \\(of', 200));
    await until(() => expect(page.textContent).toContain('Lines found: 1'));
    await click(entries(page)[0] as HTMLElement);
    expect(store.state.get().place).toEqual({ step: 'notebook', text: '3 (of' });
    await until(() => expect(page.querySelector('li[aria-current]')).not.toBeNull());
    expect(client.logs).toHaveBeenLastCalledWith('1', '3 (of', 2_000);
    await click(named(page, 'button', '← All runs'));
    await until(() => expect(page.textContent).toContain('read 3 (of 4) rows'));
  });

  it('says that nothing was found, and what is no expression', async () => {
    const refusal = new ApiError("The pattern '(' is no regular expression.", 422, 'bad-pattern');
    const search = vi.fn((pattern: string) =>
      pattern === '(' ? Promise.reject(refusal) : Promise.resolve({ lines: [], is_cut: false })
    );
    const { page } = await opened(service([run('1')], { search }));
    await type(named(page, 'input', 'Search the logs of all runs'), '(');
    await until(() => expect(page.textContent).toContain('No line of any run has this text.'));
    await click(page.querySelector<HTMLElement>('input[type=checkbox]') as HTMLElement);
    await until(() => expect(page.textContent).toContain('is no regular expression'));
  });

  it('looks for a text as it is', () => {
    const text = '[a-z] {x} (1+1)? $5^2 | \\n. #&~';
    const pattern = patternOf({ text, isPattern: false });
    expect(new RegExp(pattern.replace(/\\([#&~-])/g, '$1'), 'u').test(text)).toBe(true);
    expect(patternOf({ text, isPattern: true })).toBe(text);
  });
});

describe('what the models of a run take', () => {
  it('is told with what they may', async () => {
    const asked = { ...run('run_1'), inputs: {}, steps: [], tokens: 12_345, cost: 0.5 };
    const page = await show(hostOf({}), <Spending run={{ ...asked, budget: { calls: 200 } }} />);
    expect(page.textContent).toBe('Models took: $0.50, 12.3K tokensModels may take: calls: 200');
  });

  it('is left out of runs that asked none', async () => {
    const asked = { ...run('run_1'), inputs: {}, steps: [], tokens: null, cost: null };
    const page = await show(hostOf({}), <Spending run={{ ...asked, budget: null }} />);
    expect(page.textContent).toBe('');
  });
});

describe('a run', () => {
  const stored = { name: 'a.html', data: new Blob(['x']) };

  it('is exported, packed and compared from a menu', async () => {
    const asked = vi.fn(() => Promise.resolve(stored));
    vi.spyOn(URL, 'createObjectURL').mockReturnValue('blob:x');
    const click_ = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockReturnValue();
    const client = service([run('1')], { export: asked, zip: asked });
    const { page, host } = await opened(client);
    await click(entries(page)[0] as HTMLElement);
    const open = (): Promise<void> => click(named(page, 'button', 'Export and compare ▾'));
    await open();
    expect(document.activeElement?.textContent).toBe('Export as HTML');
    press('End');
    expect(document.activeElement?.textContent).toBe('Compare with…');
    press('Escape');
    expect(page.querySelector('[role=menu]')).toBeNull();
    for (const form of ['HTML', 'Markdown', 'PDF']) {
      await open();
      await click(named(page, '[role=menuitem]', `Export as ${form}`));
      expect(asked).toHaveBeenLastCalledWith('1', form.toLowerCase());
    }
    await open();
    await click(named(page, '[role=menuitem]', 'Download everything (zip)'));
    expect(asked).toHaveBeenLastCalledWith('1');
    expect(click_).toHaveBeenCalledTimes(4);
    await open();
    await click(named(page, '[role=menuitem]', 'Compare with…'));
    expect(host.compare).toHaveBeenCalledWith(expect.objectContaining({ id: '1' }));
  });

  it('says which tool is missing', async () => {
    const detail = 'A PDF is printed by Chromium or Chrome, and none is installed.';
    const refused = () => Promise.reject(new ApiError(detail, 404, 'no-pdf-tools'));
    const { page } = await opened(service([run('1')], { export: refused }));
    await click(entries(page)[0] as HTMLElement);
    await click(named(page, 'button', 'Export and compare ▾'));
    await click(named(page, '[role=menuitem]', 'Export as PDF'));
    await until(() => expect(page.textContent).toContain(detail));
  });

  it('saves its source before it is run again as the file is now', async () => {
    const retry = vi.fn(() => Promise.resolve(run('2')));
    const { page, host } = await opened(service([run('2'), run('1')], { retry }));
    await click(entries(page)[1] as HTMLElement);
    await click(named(page, 'button', 'Retry'));
    expect(host.save).not.toHaveBeenCalled();
    await click(named(page, 'button', '← All runs'));
    await click(entries(page)[1] as HTMLElement);
    await click(named(page, 'button', 'Retry with the newest version'));
    expect(host.save).toHaveBeenCalledWith('a.ipynb');
    expect(retry).toHaveBeenLastCalledWith('1', { latest: true });
  });
});
