/**
 * What agents do with the cells of an open notebook: in its shared model, each change one step that
 * can be undone. Every verb throws a `Refusal` when it cannot be done; then nothing has changed.
 */
import type { ISharedCell, ISharedNotebook, SharedCell } from '@jupyter/ydoc';
import { plainText } from '../core/ansi';
import type { JsonObject } from '../core/flow';
import { replacement } from '../core/text';

/** Why something was not done, in a sentence for the agent. */
export class Refusal extends Error {}

/** A cell as agents read it. */
export interface CellText {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly tags?: readonly string[];
  readonly locked?: true;
  readonly running?: true;
  /** What it showed, as text. */
  readonly outputs?: string;
  /** What was left out. */
  readonly cut?: string;
}

/** Characters of one cell's outputs, and of all that is read at once. */
const OUTPUTS = 8_000;
const ALL = 60_000;

type Tags = readonly string[];
type Undo = { readonly undoManager?: { stopCapturing(): void } | null };

export function read(
  notebook: ISharedNotebook,
  args: { readonly cells: readonly string[] | null; readonly outputs: boolean }
): readonly CellText[] {
  const named = args.cells?.map(id => cellOf(notebook, id));
  let left = named ? Infinity : ALL;
  return (named ?? notebook.cells).map(cell => {
    const found = describe(cell, args.outputs);
    left -= found.source.length + (found.outputs?.length ?? 0);
    return left < 0 ? brief(found) : found;
  });
}

export function insert(
  notebook: ISharedNotebook,
  args: {
    /** The new cell's id; asked twice, it is put in once. */
    readonly cell?: string;
    readonly source: string;
    readonly type: 'code' | 'markdown' | 'raw';
    readonly after: string;
    readonly before: string;
    readonly tags: Tags;
  }
): string {
  const { after, before, cell } = args;
  if (cell && notebook.cells.some(one => one.getId() === cell)) {
    return cell;
  }
  const near = after || before;
  const at = near ? indexOf(notebook, near) + (after ? 1 : 0) : notebook.cells.length;
  const made: SharedCell.Cell = {
    ...(cell ? { id: cell } : {}),
    cell_type: args.type,
    source: args.source,
    metadata: { tags: [...args.tags] }
  };
  let id = '';
  oneStep(notebook, () => {
    id = notebook.insertCell(at, made).getId();
  });
  return id;
}

export function edit(
  notebook: ISharedNotebook,
  args: {
    readonly cell: string;
    readonly expected: string;
    readonly source: string;
    readonly tags: Tags;
  }
): void {
  const cell = cellOf(notebook, args.cell);
  allowed(cell, 'editable', 'It is locked against edits.');
  same(cell, args.expected);
  oneStep(cell, () =>
    cell.transact(() => {
      const { start, end, text } = replacement(args.expected, args.source);
      cell.updateSource(start, end, text);
      cell.setMetadata('tags', [...new Set([...tagsOf(cell), ...args.tags])]);
    })
  );
}

export function remove(
  notebook: ISharedNotebook,
  args: { readonly cell: string; readonly expected: string }
): void {
  const cell = cellOf(notebook, args.cell);
  allowed(cell, 'deletable', 'It is locked against being deleted.');
  same(cell, args.expected);
  if (isRunning(cell)) {
    throw new Refusal(`The cell ${args.cell} is running. Delete it when it has ended.`);
  }
  oneStep(notebook, () => notebook.deleteCell(indexOf(notebook, args.cell)));
}

/** The code cell that is to be run, as it was expected. */
export function runnable(
  notebook: ISharedNotebook,
  args: { readonly cell: string; readonly expected: string }
): ISharedCell {
  const cell = cellOf(notebook, args.cell);
  if (cell.cell_type !== 'code') {
    throw new Refusal(`The cell ${args.cell} is no code: its type is ${cell.cell_type}.`);
  }
  same(cell, args.expected);
  if (isRunning(cell)) {
    throw new Refusal(`The cell ${args.cell} is running already.`);
  }
  return cell;
}

/** What a cell showed, as text: of pictures and the like, what they are. */
export function outputsOf(cell: ISharedCell): string {
  const { outputs = [] } = cell.toJSON() as { readonly outputs?: readonly JsonObject[] };
  const said = outputs.map(outputText).join('\n').trim();
  return said.length > OUTPUTS
    ? `${said.slice(0, OUTPUTS / 2)}\n[${said.length - OUTPUTS} characters are left out]\n${said.slice(-OUTPUTS / 2)}`
    : said;
}

function describe(cell: ISharedCell, withOutputs: boolean): CellText {
  const tags = tagsOf(cell);
  const outputs = withOutputs ? outputsOf(cell) : '';
  const locked = cell.getMetadata('editable') === false;
  return {
    id: cell.getId(),
    type: cell.cell_type,
    source: cell.getSource(),
    ...(tags.length > 0 ? { tags } : {}),
    ...(locked ? { locked } : {}),
    ...(isRunning(cell) ? { running: true as const } : {}),
    ...(outputs ? { outputs } : {})
  };
}

/** The cell's first line: the whole is read by its id. */
function brief({ id, type, source, tags }: CellText): CellText {
  const line = (source.split('\n', 1)[0] ?? '').slice(0, 200);
  return { id, type, source: line, ...(tags ? { tags } : {}), cut: 'Read it by its id.' };
}

function outputText(output: JsonObject): string {
  switch (output.output_type) {
    case 'stream':
      return plainText(joined(output.text));
    case 'error':
      return plainText(joined(output.traceback, '\n') || `${output.ename}: ${output.evalue}`);
    default: {
      const data = (output.data ?? {}) as JsonObject;
      const text = data['text/plain'] ?? data['text/markdown'];
      return text === undefined ? `[${Object.keys(data).join(', ')}]` : plainText(joined(text));
    }
  }
}

function joined(text: unknown, between = ''): string {
  return Array.isArray(text) ? text.join(between) : typeof text === 'string' ? text : '';
}

function tagsOf(cell: ISharedCell): Tags {
  const tags: unknown = cell.getMetadata('tags');
  return Array.isArray(tags) ? tags.filter(tag => typeof tag === 'string') : [];
}

function isRunning(cell: ISharedCell): boolean {
  return cell.cell_type === 'code' && 'executionState' in cell && cell.executionState === 'running';
}

function indexOf(notebook: ISharedNotebook, id: string): number {
  const index = notebook.cells.findIndex(cell => cell.getId() === id);
  if (index < 0) {
    throw new Refusal(`There is no cell ${id}. Read the notebook for the ids of its cells.`);
  }
  return index;
}

function cellOf(notebook: ISharedNotebook, id: string): ISharedCell {
  return notebook.getCell(indexOf(notebook, id));
}

function allowed(cell: ISharedCell, right: 'editable' | 'deletable', why: string): void {
  if (cell.getMetadata(right) === false) {
    throw new Refusal(`The cell ${cell.getId()} was left as it is. ${why}`);
  }
}

/** Somebody may have changed the cell since it was read. */
function same(cell: ISharedCell, expected: string): void {
  if (cell.getSource() !== expected) {
    throw new Refusal(
      `The cell ${cell.getId()} says something else than what is expected. Read the cell for what it says.`
    );
  }
}

/** Make a change that no other one is undone with. */
function oneStep(target: object, change: () => void): void {
  const { undoManager } = target as Undo;
  undoManager?.stopCapturing();
  change();
  undoManager?.stopCapturing();
}
