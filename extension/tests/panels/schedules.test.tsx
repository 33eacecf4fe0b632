import { afterEach, expect, it } from 'vitest';
import type { Client } from '../../src/api/client';
import { RunsStore } from '../../src/panels/runsStore';
import { Asking, Schedules } from '../../src/panels/Schedules';
import { act } from 'react';
import { hostOf, leave, show, until } from './stage';

afterEach(leave);

it('opens the schedule that is asked for from elsewhere', async () => {
  const schedules = ['one', 'two'].map(id => ({
    id,
    name: id,
    target: 'a.ipynb',
    when: 'daily',
    state: 'active',
    next_due: null
  }));
  const client = {
    schedules: () => Promise.resolve({ fired_by: '', schedules }),
    schedule: () => Promise.resolve({ next: [] }),
    misses: () => Promise.resolve([])
  } as unknown as Client;
  const asking = new Asking();
  const store = new RunsStore(client);
  const panel = <Schedules asking={asking} runs={store} onRun={() => undefined} />;
  const page = await show(hostOf(client), panel);
  const open = (): string[] =>
    [...page.querySelectorAll('[aria-expanded="true"] b')].map(({ textContent }) => textContent);
  expect(open()).toEqual([]);
  await act(async () => asking.show('two'));
  await until(() => expect(open()).toEqual(['two']));
  expect(document.activeElement?.textContent).toContain('two');
});
