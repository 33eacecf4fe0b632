import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Wait } from '../../src/api/types';
import { translator } from '../../src/core/i18n';
import { Answer } from '../../src/panels/Answer';
import { askWait } from '../agents';
import { reasonOf } from '../../src/panels/words';
import { click, hostOf, leave, named, show, type } from './stage';

afterEach(leave);

const answer = vi.fn<(run: string, given: object) => Promise<unknown>>();

function waitOf(change: Partial<Wait> = {}): Wait {
  return { ...askWait(), node: 'analyst', due: null, answered_at: null, ...change };
}

function waits(change: Partial<Wait> = {}): Promise<HTMLElement> {
  answer.mockReset().mockResolvedValue({});
  return show(hostOf({ answer }), <Answer run="r1" wait={waitOf(change)} />);
}

describe('what a queued run waits for', () => {
  it('is answered by its key: a step may wait for several things', async () => {
    const page = await waits({ key: 'ship', form: null, message: 'Ship it?' });
    await click(named(page, 'button', 'Approve'));
    expect(answer).toHaveBeenCalledExactlyOnceWith('r1', {
      step: 'analyst#ship',
      outcome: 'approved',
      value: null,
      reason: ''
    });
  });

  it('may be a call of an agent, which is allowed or changed', async () => {
    const page = await waits();
    expect(page.textContent).toContain('May the agent call mail.send?');
    await click(named(page, 'button', 'Change…'));
    await type(named(page, 'textarea', 'Arguments as JSON'), '{"to": ');
    await click(named(page, 'button', 'Allow with these arguments'));
    expect(page.textContent).toContain('This is not JSON');
    await type(named(page, 'textarea', 'Arguments as JSON'), '{"to": "b@example.org"}');
    await click(named(page, 'button', 'Allow with these arguments'));
    expect(answer).toHaveBeenCalledExactlyOnceWith('r1', {
      step: 'analyst#ask:c1',
      outcome: 'approved',
      value: { decision: 'change', arguments: { to: 'b@example.org' } },
      reason: ''
    });
  });

  it('is told in a line by the tool that an agent wants to call', () => {
    const run = { state: 'waiting', error: null, waits: [waitOf()] } as never;
    expect(reasonOf(run, translator('en'), 'en')).toBe('analyst: May the agent call mail.send?');
  });

  it('is refused with a reason, and says when that did not arrive', async () => {
    const page = await waits();
    answer.mockRejectedValue(new Error('Somebody was faster.'));
    await click(named(page, 'button', 'Refuse…'));
    await type(page.querySelector('input') as HTMLElement, 'No mails at night.');
    await click(named(page, 'button', 'Refuse'));
    expect(answer).toHaveBeenCalledExactlyOnceWith('r1', {
      step: 'analyst#ask:c1',
      outcome: 'refused',
      value: null,
      reason: 'No mails at night.'
    });
    expect(page.textContent).toContain('Somebody was faster.');
  });
});
