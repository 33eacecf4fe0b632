import { describe, expect, it } from 'vitest';
import { debugCells } from '../../src/lab/debugging';

describe('the cells of a notebook for a failed step', () => {
  it('name the run and the step as Python texts', () => {
    const [first] = debugCells('run_1', 'each[3]/say "hi"');
    expect(first).toContain('Lab().runs.debug("run_1", "each[3]/say \\"hi\\"")');
  });
});
