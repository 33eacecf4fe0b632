import { act } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Submission } from '../../src/panels/QueueForm';
import { SecretsForm } from '../../src/panels/SecretsForm';
import { hostOf, leave, show, until } from './stage';

afterEach(leave);

const KEPT = {
  name: 'TOKEN',
  version: 1,
  created_at: '2026-01-01T00:00:00Z',
  created_by: 'anna',
  used_in: ['ask.flow.json']
};

function type(page: HTMLElement, selector: string, text: string): void {
  const input = page.querySelector<HTMLInputElement>(selector);
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set;
  act(() => {
    set?.call(input, text);
    input?.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

describe('the form of secrets', () => {
  it('sets one, and shows its value nowhere', async () => {
    const setSecret = vi.fn().mockResolvedValue({ ...KEPT, name: 'MAIL' });
    const submission = new Submission();
    const made = vi.fn();
    const host = hostOf({ secrets: () => Promise.resolve([KEPT]), setSecret });
    const page = await show(host, <SecretsForm submission={submission} onSet={made} />);
    await until(() => expect(page.textContent).toContain('TOKEN'));
    expect(await act(() => submission.submit())).toBe(false);
    expect(page.querySelector('[role=alert]:not([hidden])')?.textContent).not.toBe('');
    type(page, 'input:not([type=password])', ' MAIL ');
    type(page, 'input[type=password]', 'hunter22');
    expect(await act(() => submission.submit())).toBe(true);
    expect(setSecret).toHaveBeenCalledWith('MAIL', 'hunter22');
    expect(made).toHaveBeenCalledWith('MAIL');
    expect(page.innerHTML).not.toContain('hunter22');
  });

  it('says what it replaces, and why it was refused', async () => {
    const setSecret = vi.fn().mockRejectedValue(new Error('It is too long.'));
    const submission = new Submission();
    const host = hostOf({ secrets: () => Promise.resolve([KEPT]), setSecret });
    const page = await show(host, <SecretsForm submission={submission} onSet={() => undefined} />);
    await until(() => expect(page.textContent).toContain('TOKEN'));
    type(page, 'input:not([type=password])', 'TOKEN');
    expect(page.textContent).toContain('This replaces what TOKEN holds.');
    type(page, 'input[type=password]', 'hunter22');
    expect(await act(() => submission.submit())).toBe(false);
    expect(page.textContent).toContain('It is too long.');
  });

  it('asks before it removes one, and says which flows need it', async () => {
    let kept = [KEPT];
    const removeSecret = vi.fn(() => {
      kept = [];
      return Promise.resolve();
    });
    const host = hostOf({ secrets: () => Promise.resolve(kept), removeSecret });
    const page = await show(
      host,
      <SecretsForm submission={new Submission()} onSet={() => undefined} />
    );
    await until(() => expect(page.querySelector('li button')).not.toBeNull());
    const press = (at: number): Promise<void> =>
      act(async () => page.querySelectorAll<HTMLButtonElement>('li button')[at]?.click());
    await press(0);
    expect(page.querySelector('li')?.textContent).toContain('will not start: ask.flow.json');
    await press(0); // keep it
    expect(removeSecret).not.toHaveBeenCalled();
    await press(0);
    await press(1);
    await until(() => expect(page.querySelector('li')).toBeNull());
    expect(removeSecret).toHaveBeenCalledWith('TOKEN');
  });
});
