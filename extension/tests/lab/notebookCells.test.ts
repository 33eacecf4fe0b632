import { YNotebook, type ISharedCodeCell } from '@jupyter/ydoc';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { edit, insert, outputsOf, read, remove, runnable } from '../../src/lab/notebookCells';

let notebook: YNotebook;

function code(id: string, source: string, more: object = {}) {
  return { cell_type: 'code', id, source, metadata: {}, ...more };
}

function sources(): string[] {
  return notebook.cells.map(cell => cell.getSource());
}

function cell(index: number): ISharedCodeCell {
  return notebook.getCell(index) as ISharedCodeCell;
}

const TAGS = { tags: ['agent'] };

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(); // Yjs, of cells that are in no notebook yet
  notebook = new YNotebook({ disableDocumentWideUndoRedo: true });
  notebook.insertCells(0, [code('one', 'x = 1'), code('two', 'y = 2')]);
  notebook.clearUndoHistory();
  notebook.dirty = false;
});

describe('reading', () => {
  it('gives what cells say and showed, as text', () => {
    cell(0).setOutputs([
      { output_type: 'stream', name: 'stdout', text: '\u001b[31mred\u001b[0m\n' },
      {
        output_type: 'display_data',
        data: { 'image/png': 'aa', 'text/plain': '<Figure>' },
        metadata: {}
      },
      { output_type: 'display_data', data: { 'image/png': 'aa' }, metadata: {} },
      { output_type: 'error', ename: 'E', evalue: 'no', traceback: ['\u001b[1mE: no'] }
    ]);
    cell(1).setMetadata('editable', false);
    expect(read(notebook, { cells: null, outputs: true })).toEqual([
      { id: 'one', type: 'code', source: 'x = 1', outputs: 'red\n\n<Figure>\n[image/png]\nE: no' },
      { id: 'two', type: 'code', source: 'y = 2', locked: true }
    ]);
    expect(read(notebook, { cells: ['one'], outputs: false })).toEqual([
      { id: 'one', type: 'code', source: 'x = 1' }
    ]);
  });

  it('leaves out what is too much, and says so', () => {
    cell(0).setOutputs([{ output_type: 'stream', name: 'stdout', text: 'a'.repeat(50_000) }]);
    expect(outputsOf(cell(0)).length).toBeLessThan(9_000);
    notebook.insertCells(2, [code('long', `first\n${'b'.repeat(70_000)}`), code('last', 'z')]);
    const found = read(notebook, { cells: null, outputs: true });
    expect(found[2]).toEqual({
      id: 'long',
      type: 'code',
      source: 'first',
      cut: 'Read it by its id.'
    });
    expect(read(notebook, { cells: ['long'], outputs: true })[0]?.source).toHaveLength(70_006);
  });

  it('refuses a cell that is not there', () => {
    expect(() => read(notebook, { cells: ['none'], outputs: true })).toThrow(
      'There is no cell none.'
    );
  });
});

describe('changes', () => {
  it('puts a cell in once, however often it is asked', () => {
    const asked = { cell: 'new', source: 'z', type: 'code', after: 'one', before: '' } as const;
    expect(insert(notebook, { ...asked, ...TAGS })).toBe('new');
    expect(insert(notebook, { ...asked, ...TAGS })).toBe('new');
    expect(sources()).toEqual(['x = 1', 'z', 'y = 2']);
  });

  it('are marked, leave the notebook unsaved, and are one step each', () => {
    const id = insert(notebook, {
      source: 'new',
      type: 'markdown',
      after: 'one',
      before: '',
      ...TAGS
    });
    expect(sources()).toEqual(['x = 1', 'new', 'y = 2']);
    expect(notebook.getCell(1).getId()).toBe(id);
    expect(notebook.getCell(1).getMetadata('tags')).toEqual(['agent']);
    expect(notebook.dirty).toBe(true);
    remove(notebook, { cell: 'one', expected: 'x = 1' });
    insert(notebook, { source: 'top', type: 'code', after: '', before: id, ...TAGS });
    expect(sources()).toEqual(['top', 'new', 'y = 2']);
    notebook.undo();
    expect(sources()).toEqual(['new', 'y = 2']);
    notebook.undo();
    expect(sources()).toEqual(['x = 1', 'new', 'y = 2']);
    notebook.undo();
    expect(sources()).toEqual(['x = 1', 'y = 2']);
  });

  it('of a cell are undone in that cell, alone', () => {
    const target = cell(0);
    target.updateSource(5, 5, '0');
    edit(notebook, { cell: 'one', expected: 'x = 10', source: 'x = 100\nx', ...TAGS });
    target.updateSource(0, 0, '# mine\n');
    expect(target.getSource()).toBe('# mine\nx = 100\nx');
    expect(target.getMetadata('tags')).toEqual(['agent']);
    target.undo();
    expect(target.getSource()).toBe('x = 100\nx');
    target.undo();
    expect(target.getSource()).toBe('x = 10');
    expect(target.getMetadata('tags')).toBeUndefined();
  });

  it('keep the tags that are there', () => {
    cell(0).setMetadata('tags', ['parameters', 'agent']);
    edit(notebook, {
      cell: 'one',
      expected: 'x = 1',
      source: 'x = 2',
      tags: ['agent', 'untrusted']
    });
    expect(cell(0).getMetadata('tags')).toEqual(['parameters', 'agent', 'untrusted']);
  });

  it('are refused where somebody has written something else, which is not told', () => {
    cell(0).setSource('x = "mine"');
    const change = { cell: 'one', expected: 'x = 1' };
    const why = /something else than what is expected\. Read the cell for what it says\.$/;
    expect(() => edit(notebook, { ...change, source: 'x = 2', ...TAGS })).toThrow(why);
    expect(() => remove(notebook, change)).toThrow(why);
    expect(() => runnable(notebook, change)).toThrow(why);
    expect(sources()).toEqual(['x = "mine"', 'y = 2']);
  });

  it('honour locks', () => {
    cell(0).setMetadata('editable', false);
    cell(1).setMetadata('deletable', false);
    expect(() => edit(notebook, { cell: 'one', expected: 'x = 1', source: '', ...TAGS })).toThrow(
      'locked against edits'
    );
    expect(() => remove(notebook, { cell: 'two', expected: 'y = 2' })).toThrow(
      'locked against being deleted'
    );
    expect(sources()).toEqual(['x = 1', 'y = 2']);
  });

  it('leave a running cell where it is', () => {
    cell(0).executionState = 'running';
    const which = { cell: 'one', expected: 'x = 1' };
    expect(() => remove(notebook, which)).toThrow('is running');
    expect(() => runnable(notebook, which)).toThrow('is running already');
    insert(notebook, { source: 'text', type: 'markdown', after: '', before: 'one', ...TAGS });
    const text = notebook.getCell(0).getId();
    expect(() => runnable(notebook, { cell: text, expected: 'text' })).toThrow('is no code');
  });
});
