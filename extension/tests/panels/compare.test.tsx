import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RunDiff } from '../../src/api/types';
import { Compare, linesOf } from '../../src/panels/Compare';
import { hostOf, leave, run, show, until } from './stage';

afterEach(leave);

const SAME: RunDiff = {
  old: '1',
  new: '2',
  facts: [],
  inputs: [],
  definition: [],
  steps: [],
  notebooks: [],
  note: ''
};

async function compared(diff: Partial<RunDiff>) {
  const asked = vi.fn(() => Promise.resolve({ ...SAME, ...diff }));
  const runs = vi.fn(() => Promise.resolve([run('3'), run('2'), run('1')]));
  const page = await show(hostOf({ diff: asked, runs }), <Compare run={run('2')} />);
  await until(() => expect(asked).toHaveBeenCalled());
  return { page, asked, runs };
}

function rows(page: HTMLElement, title: string): string[] {
  const table = page.querySelector(`table[aria-label="${title}"]`);
  return [...(table?.querySelectorAll('tbody tr') ?? [])].map(row =>
    [...row.children].map(cell => cell.textContent).join(' | ')
  );
}

describe('two runs', () => {
  it('are the chosen one and the one before it, the earlier first', async () => {
    const { page, asked, runs } = await compared({});
    expect(runs).toHaveBeenCalledWith({ flow: 'a.ipynb', limit: 200 });
    expect(asked).toHaveBeenCalledWith('1', '2');
    await until(() => expect(page.textContent).toContain('The runs do not differ.'));
  });

  it('differ in facts, inputs, the flow, steps and notebooks', async () => {
    const { page } = await compared({
      facts: [{ name: 'state', old: 'completed', new: 'failed' }],
      inputs: [{ name: 'n', old: 1, new: { deep: ['<b>x</b>'] } }],
      definition: [
        { kind: 'added', what: 'node', name: 'b', field: 'config.url', old: null, new: 'u' }
      ],
      steps: [
        {
          step: 'a',
          old: 'completed',
          new: null,
          old_s: 1.5,
          new_s: null,
          outputs: ['out'],
          old_error: '',
          new_error: ''
        }
      ],
      notebooks: [
        { step: 'notebook', text: 'nbdiff a b\n--- a\n+++ b\n## changed /x:\n- 1\n+ 2\n' }
      ],
      note: 'Something was left out.'
    });
    await until(() => expect(rows(page, 'Overall')).toEqual(['State | Completed | Failed']));
    expect(rows(page, 'Inputs')[0]).toContain('<b>x</b>');
    expect(rows(page, 'Flow')).toEqual(['node b config.url | — | u']);
    expect(rows(page, 'Steps')).toEqual(['a | Completed · 1.5 s | No such step | out']);
    const changes = [...page.querySelectorAll<HTMLElement>('.iai-Compare-text > span')];
    expect(changes.map(({ dataset }) => dataset.change)).toEqual(['place', 'removed', 'added']);
    expect(page.textContent).toContain('Something was left out.');
    expect(page.textContent).not.toContain('The runs do not differ.');
  });

  it('are only there when there are two', async () => {
    const runs = () => Promise.resolve([run('2')]);
    const page = await show(hostOf({ runs }), <Compare run={run('2')} />);
    await until(() => expect(page.textContent).toContain('There is no other run'));
  });
});

describe('the lines of a difference', () => {
  it('are all shown when they have no head', () => {
    expect(linesOf({ step: 'a', text: '- 1\n+ 2\n' })).toEqual(['- 1', '+ 2']);
  });
});
