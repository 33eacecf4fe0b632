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
  const stem = PathExt.basename(run.flow, '.ipynb');
  const path = PathExt.join(PathExt.dirname(run.flow), `${stem}.${run.id.slice(SHORT)}.ipynb`);
  await app.serviceManager.contents.save(path, { type: 'notebook', format: 'json', content });
  await app.commands.execute('docmanager:open', { path, options: { mode: 'split-right' } });
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
