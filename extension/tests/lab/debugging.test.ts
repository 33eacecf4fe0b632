import { describe, expect, it, vi } from 'vitest';
import { debugCells, keepOutput } from '../../src/lab/debugging';

describe('the cells of a notebook for a failed step', () => {
  it('name the run and the step as Python texts', () => {
    const [first] = debugCells('run_1', 'each[3]/say "hi"');
    expect(first).toContain('Lab().runs.debug("run_1", "each[3]/say \\"hi\\"")');
  });
});

describe('the copy of an output notebook', () => {
  const run = { id: 'run_0123456789', flow: 'deep/a.ipynb' };
  const content = { cells: [{ cell_type: 'code', source: 'x', outputs: [] }], nbformat: 4 };

  function contents(files: Map<string, unknown>) {
    const get = (path: string): Promise<{ content: unknown }> =>
      files.has(path)
        ? Promise.resolve({ content: files.get(path) })
        : Promise.reject(Object.assign(new Error('gone'), { response: { status: 404 } }));
    const save = vi.fn((path: string, model: { content: unknown }) => {
      files.set(path, model.content);
      return Promise.resolve();
    });
    return { get, save };
  }

  type Contents = Parameters<typeof keepOutput>[0];

  it('is made once, and found again after Jupyter has saved it', async () => {
    const files = new Map<string, unknown>();
    const made = contents(files);
    const path = await keepOutput(made as unknown as Contents, run, content);
    expect(path).toBe('deep/a.23456789.ipynb');
    const [cell] = content.cells;
    files.set(path, { metadata: { x: 1 }, cells: [{ id: 'c', ...cell, source: ['x'] }] });
    expect(await keepOutput(made as unknown as Contents, run, content)).toBe(path);
    expect(made.save).toHaveBeenCalledTimes(1);
  });

  it('is left alone when it has been edited', async () => {
    const mine = { cells: [{ cell_type: 'code', source: 'mine', outputs: [] }] };
    const files = new Map<string, unknown>([['deep/a.23456789.ipynb', mine]]);
    const made = contents(files) as unknown as Contents;
    expect(await keepOutput(made, run, content)).toBe('deep/a.23456789-2.ipynb');
    expect(await keepOutput(made, run, content)).toBe('deep/a.23456789-2.ipynb');
    expect(files.get('deep/a.23456789.ipynb')).toBe(mine);
  });

  it('is not made when nobody knows what is there', async () => {
    const get = () => Promise.reject(new Error('away'));
    const made = { get, save: vi.fn() } as unknown as Contents;
    await expect(keepOutput(made, run, content)).rejects.toThrow('away');
  });
});
