/** Notebooks that a run leads to: what it gave, and what a failed step was given. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import type { Client } from '../api/client';
import type { RunSummary } from '../api/types';
import type { JsonObject } from '../core/flow';

const SHORT = -8;

/** Keep a copy of a run's output notebook beside its source, and open it there. */
export async function openOutput(
  app: JupyterFrontEnd,
  client: Client,
  run: RunSummary
): Promise<void> {
  const content = await client.notebook(run.id);
  const path = await keepOutput(app.serviceManager.contents, run, content);
  await app.commands.execute('docmanager:open', { path, options: { mode: 'split-right' } });
}

type Contents = Pick<JupyterFrontEnd['serviceManager']['contents'], 'get' | 'save'>;

/** Return the copy's path; one that has been edited is left alone, and there is another beside it. */
export async function keepOutput(
  contents: Contents,
  run: Pick<RunSummary, 'id' | 'flow'>,
  content: JsonObject
): Promise<string> {
  const stem = `${PathExt.basename(run.flow, '.ipynb')}.${run.id.slice(SHORT)}`;
  for (let number = 1; ; number += 1) {
    const name = `${stem}${number > 1 ? `-${number}` : ''}.ipynb`;
    const path = PathExt.join(PathExt.dirname(run.flow), name);
    const present = await contentAt(contents, path);
    if (present === null) {
      await contents.save(path, { type: 'notebook', format: 'json', content });
      return path;
    }
    if (shownBy(present) === shownBy(content)) {
      return path;
    }
  }
}

/** The notebook at a path; null when nothing is there. */
async function contentAt(contents: Contents, path: string): Promise<unknown> {
  try {
    return (await contents.get(path, { content: true })).content;
  } catch (error) {
    if ((error as { readonly response?: Response }).response?.status === 404) {
      return null;
    }
    throw error;
  }
}

interface Cell {
  readonly cell_type?: unknown;
  readonly source?: unknown;
  readonly outputs?: unknown;
}

/** What people see of a notebook: neither what Jupyter adds when it saves, nor how it spells it. */
function shownBy(notebook: unknown): string {
  const { cells = [] } = notebook as { readonly cells?: readonly Cell[] };
  const shown = cells.map(({ cell_type, source, outputs }) => [cell_type, source, outputs ?? []]);
  return JSON.stringify(plain(shown));
}

/** Sorted keys, and texts in one piece, however a file has them. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    const isText = value.length > 0 && value.every(part => typeof part === 'string');
    return isText ? value.join('') : value.map(plain);
  }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([name, part]) => [name, plain(part)]));
  }
  return value;
}

/** Open a new notebook that has what a step was given; its first cell is executed. */
export async function openDebug(
  app: JupyterFrontEnd,
  run: RunSummary,
  step: string
): Promise<void> {
  const { contents } = app.serviceManager;
  const made = await contents.newUntitled({ path: PathExt.dirname(run.flow), type: 'notebook' });
  const stem = PathExt.basename(run.flow).replace(/\.(ipynb|flow\.json)$/, '');
  const node = step.replace(/[^\w.-]+/g, '-');
  const wanted = PathExt.join(
    PathExt.dirname(made.path),
    `${stem}.debug-${node}-${run.id.slice(SHORT)}.ipynb`
  );
  await contents.save(made.path, {
    type: 'notebook',
    format: 'json',
    content: notebook(run, step)
  });
  const { path } = await contents.rename(made.path, wanted).catch(() => made);
  await app.commands.execute('docmanager:open', { path });
}

function notebook(run: RunSummary, step: string): JsonObject {
  const cells = debugCells(run.id, step).map((source, index) => ({
    cell_type: 'code',
    id: `debug-${index}`,
    source,
    metadata: {},
    outputs: [],
    execution_count: null
  }));
  return {
    cells,
    metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
    nbformat: 4,
    nbformat_minor: 5
  };
}

/** The cells that bind a failed step's inputs, show its settings, and run it again from there. */
export function debugCells(run: string, step: string): readonly string[] {
  const named = `${JSON.stringify(run)}, ${JSON.stringify(step)}`;
  return [
    `from iaiflow_lab import Lab\n\nstep = Lab().runs.debug(${named})\n` +
      'globals().update(step)  # every recorded input by its name\nstep',
    'for name, value in step.config.items():\n    print(f"{name}:\\n{value}\\n")',
    '# Found it? Correct the flow or notebook, save it, and run again from this node:\n' +
      '# step.retry(latest=True)\n# The version of that time once more: step.retry()'
  ];
}
