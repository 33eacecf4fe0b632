import { act } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { QueueForm, Submission } from '../../src/panels/QueueForm';
import { hostOf, leave, named, show, type, until } from './stage';

afterEach(leave);

const SCHEMA = { type: 'object', properties: { n: { type: 'integer' } } };

function form(): React.ReactElement {
  return (
    <QueueForm path="a.ipynb" note="" submission={new Submission()} onDone={() => undefined} />
  );
}

/** A dialog whose button was pressed before its fields were known. */
async function early() {
  let told: (schema: object) => void = () => undefined;
  const parameters = () => new Promise(resolve => (told = resolve));
  const start = vi.fn().mockResolvedValue({ id: 'r' });
  const submission = new Submission();
  await show(
    hostOf({ parameters, start }),
    <QueueForm path="a.ipynb" note="" submission={submission} onDone={() => undefined} />
  );
  const answer = (schema: object) => act(async () => told(schema));
  return { start, submission, accepted: submission.submit(), answer };
}

describe('the dialog that queues', () => {
  it('gives the focus to the first parameter, however late its form comes', async () => {
    let add: () => void = () => undefined;
    const mountForm = (element: HTMLElement) => {
      add = () => element.append(document.createElement('input'));
      return { update: () => undefined, dispose: () => undefined };
    };
    const host = hostOf({ parameters: () => Promise.resolve(SCHEMA) }, { mountForm });
    const page = await show(host, form());
    expect(document.activeElement).toBe(document.body);
    await act(async () => add());
    await until(() =>
      expect(document.activeElement).toBe(page.querySelector('.iai-Dialog > div input'))
    );
  });

  it('queues what was asked for before its fields were known', async () => {
    const { start, accepted, answer } = await early();
    expect(start).not.toHaveBeenCalled();
    await answer({ type: 'object' });
    expect(await act(() => accepted)).toBe(true);
    expect(start).toHaveBeenCalledTimes(1);
  });

  it('queues nothing with fields that nobody has seen', async () => {
    const { start, submission, accepted, answer } = await early();
    await answer(SCHEMA);
    expect(await act(() => accepted)).toBe(false);
    expect(start).not.toHaveBeenCalled();
    expect(await act(() => submission.submit())).toBe(true);
    expect(start).toHaveBeenCalledTimes(1);
  });

  it('queues with a budget for the models of the run', async () => {
    const start = vi.fn().mockResolvedValue({ id: 'r' });
    const submission = new Submission();
    const parameters = () => Promise.resolve({ type: 'object' });
    const page = await show(
      hostOf({ parameters, start }),
      <QueueForm path="a.ipynb" note="" submission={submission} onDone={() => undefined} />
    );
    const field = (label: string): HTMLElement =>
      named(page, 'label > span', label).nextElementSibling as HTMLElement;
    await type(field('Dollars'), '2.5');
    await type(field('Calls'), 'many');
    expect(await act(() => submission.submit())).toBe(false);
    expect(page.querySelector('[role="alert"]')?.textContent).toBe('many is no number.');
    await type(field('Calls'), '200');
    expect(await act(() => submission.submit())).toBe(true);
    expect(start).toHaveBeenCalledWith('a.ipynb', {}, { budget: { cost: 2.5, calls: 200 } });
  });

  it('leaves the focus where it is when there are no parameters', async () => {
    await show(hostOf({ parameters: () => Promise.resolve({ type: 'object' }) }), form());
    expect(document.activeElement).toBe(document.body);
  });
});
