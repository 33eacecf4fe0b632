import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../src/api/types';
import { draftOf, freshDraft, whenOf } from '../../src/panels/rule';

const BOUNDS = { zone: 'Asia/Tokyo', start: null, end: null, jitter_s: 0 };

describe('a rule', () => {
  it.each([
    [{ kind: 'cron', expression: '0 6 * * *' }, { cron: '0 6 * * *' }],
    [{ kind: 'interval', seconds: 90 }, { every: '90s' }],
    [{ kind: 'once', at: '2026-11-30T21:00:00.000Z' }, { at: '2026-12-01T06:00:00' }],
    [{ kind: 'file', patterns: ['a.csv', 'b/*'] }, { on_change: ['a.csv', 'b/*'] }]
  ])('is sent as it was saved: %j', (rule, when) => {
    const saved = { rule, ...BOUNDS } as unknown as Schedule;
    expect(whenOf(draftOf(saved))).toEqual({ ...when, zone: 'Asia/Tokyo' });
  });

  it('keeps its bounds and leaves out what is empty', () => {
    const saved = {
      rule: { kind: 'cron', expression: '0 6 * * *' },
      ...BOUNDS,
      end: '2027-01-01T00:00:00.000Z',
      jitter_s: 30
    } as unknown as Schedule;
    expect(whenOf(draftOf(saved))).toMatchObject({
      end: '2027-01-01T00:00:00.000Z',
      jitter: '30s'
    });
    const draft = { ...freshDraft('UTC'), kind: 'on_change', files: ' a.csv \n\n' } as const;
    expect(whenOf(draft)).toEqual({ on_change: ['a.csv'], zone: 'UTC' });
  });
});
