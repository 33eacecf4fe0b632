/** Lets agents that work in a notebook's kernel read, change and run its cells. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { ISharedNotebook } from '@jupyter/ydoc';
import {
  INotebookCellExecutor,
  INotebookTracker,
  runCell,
  type INotebookModel,
  type NotebookPanel
} from '@jupyterlab/notebook';
import type { Trans } from '../core/i18n';
import type { JsonObject } from '../core/flow';
import { shorten } from '../core/text';
import { IFlowHost } from './documents';
import * as cells from './notebookCells';
import { NotebookLine } from './notebookLine';
import type { Host } from './place';
import { labTranslator } from './translation';

/** How long a changed cell is lit up, in milliseconds. */
const LIT = 6_000;
const CHANGED = 'iai-changed-by-agent';

export const notebookTools: JupyterFrontEndPlugin<void> = {
  id: 'iaiflow-lab:notebook-tools',
  description: 'Lets agents of a notebook work on its cells.',
  autoStart: true,
  requires: [IFlowHost, INotebookTracker],
  optional: [INotebookCellExecutor],
  activate: (
    _: JupyterFrontEnd,
    { translator }: Host,
    tracker: INotebookTracker,
    executor: INotebookCellExecutor | null
  ): void => {
    const trans = labTranslator(translator);
    const known = new WeakSet<object>();
    const serve = (panel: NotebookPanel): void => {
      const { sessionContext } = panel;
      if (known.has(sessionContext)) {
        return; // another view of the same notebook
      }
      known.add(sessionContext);
      const run: Run = executor ? options => executor.runCell(options) : runCell;
      const desk = new Desk(trans, () => viewOf(tracker, panel), run);
      const line = new NotebookLine(sessionContext, (verb, args) => desk.do(verb, args));
      sessionContext.disposed.connect(() => line.dispose());
    };
    tracker.forEach(serve);
    tracker.widgetAdded.connect((_sender, panel) => serve(panel));
  }
};

type Run = INotebookCellExecutor['runCell'];

/** A notebook that is open. */
interface View {
  readonly panel: NotebookPanel;
  readonly model: INotebookModel;
}

/** What shows a notebook now: of several views one that is seen. */
function viewOf(tracker: INotebookTracker, panel: NotebookPanel): View {
  const views = tracker.filter(one => one.sessionContext === panel.sessionContext);
  const found = views.find(one => one.isVisible) ?? views[0];
  if (!found?.model) {
    throw new cells.Refusal('The notebook has been closed.');
  }
  return { panel: found, model: found.model };
}

/** Does what agents ask in one notebook. */
class Desk {
  constructor(
    private readonly trans: Trans,
    private readonly view: () => View,
    private readonly run: Run
  ) {}

  async do(verb: string, args: JsonObject): Promise<JsonObject> {
    const { panel, model } = this.view();
    await panel.context.ready;
    const notebook = model.sharedModel;
    if (verb === 'read') {
      const { path } = panel.context;
      return {
        path,
        count: notebook.cells.length,
        cells: given(cells.read(notebook, taken(args)))
      };
    }
    if (verb === 'run') {
      return this.execute({ panel, model }, taken(args));
    }
    if (model.readOnly || panel.context.contentsModel?.writable === false) {
      throw new cells.Refusal('The notebook can only be read.');
    }
    return this.change(panel, notebook, verb, args);
  }

  private change(
    panel: NotebookPanel,
    notebook: ISharedNotebook,
    verb: string,
    args: JsonObject
  ): JsonObject {
    switch (verb) {
      case 'insert': {
        const cell = cells.insert(notebook, taken(args));
        light(panel, cell);
        return { cell };
      }
      case 'edit':
        cells.edit(notebook, taken(args));
        light(panel, String(args.cell));
        return {};
      case 'delete':
        cells.remove(notebook, taken(args));
        this.tellDeleted(String(args.agent));
        return {};
      default:
        throw new cells.Refusal(`This page knows no ${verb}. Reload it.`);
    }
  }

  /** A cell that is gone cannot be lit up. */
  private tellDeleted(agent: string): void {
    const { trans } = this;
    const message = agent
      ? trans('The agent {agent} has deleted a cell. Z brings it back.', {
          agent: shorten(agent, 60)
        })
      : trans('An agent has deleted a cell. Z brings it back.');
    Notification.info(message, { autoClose: LIT });
  }

  private async execute(
    { panel, model }: View,
    args: { readonly cell: string; readonly expected: string; readonly wait_s: number }
  ): Promise<JsonObject> {
    const shared = cells.runnable(model.sharedModel, args);
    const { sessionContext, content } = panel;
    const cell = widgetOf(panel, args.cell);
    if (!cell || sessionContext.pendingInput) {
      throw new cells.Refusal('The notebook waits for an input of a person. Try again later.');
    }
    const ended = this.run({
      cell,
      notebook: model,
      notebookConfig: content.notebookConfig,
      onCellExecuted: () => undefined,
      onCellExecutionScheduled: () => undefined,
      sessionContext
    }).catch(() => false);
    const late = new Promise<'running'>(resolve =>
      setTimeout(() => resolve('running'), args.wait_s * 1_000)
    );
    const state = await Promise.race([ended.then(ok => (ok ? 'done' : 'failed')), late]);
    return { state, outputs: cells.outputsOf(shared) };
  }
}

/** Show for a moment which cell was changed; its tag says so for good. */
function light(panel: NotebookPanel, id: string): void {
  const cell = widgetOf(panel, id);
  cell?.addClass(CHANGED);
  setTimeout(() => cell && !cell.isDisposed && cell.removeClass(CHANGED), LIT);
}

function widgetOf({ content }: NotebookPanel, id: string) {
  return content.widgets.find(({ model }) => model.id === id);
}

/** Arguments as the kernel's side has checked them. */
function taken<T>(args: JsonObject): T {
  return args as unknown as T;
}

function given(value: unknown): JsonObject[] {
  return value as JsonObject[];
}
