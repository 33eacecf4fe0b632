import { describe, expect, it } from 'vitest';
import { translator } from '../../src/core/i18n';
import { runNews } from '../../src/core/news';
import { NO_RUN, type RunInfo, type RunState } from '../../src/core/protocol';

const trans = translator('en');
const run = (run_id: string, state: RunState): RunInfo => ({
  ...NO_RUN,
  run_id,
  state,
  started_at: 10,
  ended_at: state === 'running' ? null : 12
});

describe('the news of a run', () => {
  it('are its beginning and its end, once each', () => {
    const steps = [
      NO_RUN,
      run('a', 'queued'),
      run('a', 'running'),
      { ...run('a', 'running'), note: 'waits' },
      run('a', 'completed'),
      { ...run('a', 'completed'), note: '' }
    ];
    const said = steps.slice(1).map((step, at) => runNews(trans, steps[at] ?? NO_RUN, step, 5));
    expect(said.filter(Boolean)).toEqual(['Run started.', 'Run completed in 2.0 s.']);
  });

  it('say how it ended', () => {
    const ends = (['failed', 'cancelled'] as const).map(state =>
      runNews(trans, run('a', 'running'), run('a', state), 5)
    );
    expect(ends).toEqual(['Run failed after 2.0 s.', 'Run stopped after 2.0 s.']);
  });

  it('are none when a canvas is opened after the end', () => {
    expect(runNews(trans, NO_RUN, run('a', 'failed'), 13)).toBe('');
    expect(runNews(trans, run('a', 'failed'), run('a', 'failed'), 5)).toBe('');
  });

  it('have a run that was too fast to be seen working', () => {
    expect(runNews(trans, NO_RUN, run('a', 'completed'), 5)).not.toBe('');
    expect(runNews(trans, run('a', 'completed'), run('b', 'completed'), 5)).not.toBe('');
  });
});
