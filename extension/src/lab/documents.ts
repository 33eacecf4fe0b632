/** Flows as documents: the file type, its editor, commands, launcher card, toolbar, status bar. */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  createToolbarFactory,
  ICommandPalette,
  InputDialog,
  ISessionContextDialogs,
  IToolbarWidgetRegistry,
  Toolbar,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { PathExt } from '@jupyterlab/coreutils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ICollaborativeContentProvider } from '@jupyter/collaborative-drive';
import { Token } from '@lumino/coreutils';
import { beforePaint } from '../core/frames';
import type { Trans } from '../core/i18n';
import { openBridge } from './bridge';
import { flowIcon } from './icon';
import { FlowModelFactory } from './model';
import { CATEGORY, EDITOR, EXTENSION, FLOW, SETTINGS } from './names';
import { FlowWidgetFactory, type FlowWidget } from './panel';
import { PICTURE_RANK, pictureFactory } from './picture';
import type { Host } from './place';
import { FlowStatus } from './status';
import { templates, type Template } from './templates';
import { labTranslator } from './translation';
import { YFlow } from './yflow';

export const IFlowHost = new Token<Host>('iaiflow-lab:host', 'What JupyterLab lends to canvases.');
export type FlowTracker = WidgetTracker<FlowWidget>;
export const IFlowTracker = new Token<FlowTracker>('iaiflow-lab:tracker', 'Open flow documents.');

/** Services for canvases anywhere on the page, and the picture of saved ones. */
const host: JupyterFrontEndPlugin<Host> = {
  id: 'iaiflow-lab:host',
  description: "Lends JupyterLab's editors, forms and renderers to canvases.",
  autoStart: true,
  provides: IFlowHost,
  requires: [IRenderMimeRegistry, IEditorServices],
  optional: [INotebookTracker, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    editors: IEditorServices,
    notebooks: INotebookTracker | null,
    translator: ITranslator | null
  ): Host => {
    const made: Host = {
      app,
      rendermime,
      editors,
      notebooks,
      translator: translator ?? nullTranslator
    };
    openBridge(made);
    const trans = labTranslator(made.translator);
    rendermime.addFactory(pictureFactory(made, trans), PICTURE_RANK);
    return made;
  }
};

/** The file type and its editor. */
const documents: JupyterFrontEndPlugin<FlowTracker> = {
  id: SETTINGS,
  description: 'Opens *.flow.json files on the canvas.',
  autoStart: true,
  provides: IFlowTracker,
  requires: [IFlowHost, IToolbarWidgetRegistry, ISettingRegistry],
  optional: [ILayoutRestorer, IStateDB, ISessionContextDialogs, ICollaborativeContentProvider],
  activate: (
    app: JupyterFrontEnd,
    lent: Host,
    toolbars: IToolbarWidgetRegistry,
    settings: ISettingRegistry,
    restorer: ILayoutRestorer | null,
    states: IStateDB | null,
    dialogs: ISessionContextDialogs | null,
    collaboration: ICollaborativeContentProvider | null
  ): FlowTracker => {
    const { translator } = lent;
    const tracker: FlowTracker = new WidgetTracker({ namespace: 'iaiflow' });
    const contentType = collaboration ? FLOW : 'file';
    collaboration?.sharedModelFactory.registerDocumentFactory(FLOW, () => new YFlow());
    addToolbarItems(toolbars, lent, dialogs);
    // Lists of files know no types but those of the server: with collaboration there are two.
    const listed = {
      name: `${FLOW}-file`,
      displayName: labTranslator(translator)('Flow'),
      extensions: [EXTENSION],
      mimeTypes: ['application/json'],
      contentType: 'file' as const,
      fileFormat: 'text' as const,
      icon: flowIcon
    };
    app.docRegistry.addFileType({ ...listed, name: FLOW, contentType });
    if (collaboration) {
      app.docRegistry.addFileType(listed);
    }
    app.docRegistry.addModelFactory(new FlowModelFactory(contentType));
    const factory = new FlowWidgetFactory(lent, states, {
      name: EDITOR,
      label: labTranslator(translator)('Flow editor'),
      modelName: FLOW,
      fileTypes: [FLOW],
      defaultFor: [FLOW],
      preferKernel: true,
      canStartKernel: true,
      autoStartDefault: true,
      translator,
      toolbarFactory: createToolbarFactory(toolbars, settings, EDITOR, SETTINGS, translator),
      ...(collaboration ? { contentProviderId: 'rtc' } : {})
    });
    factory.widgetCreated.connect((_, widget) => {
      widget.context.pathChanged.connect(() => void tracker.save(widget));
      void tracker.add(widget);
    });
    app.docRegistry.addWidgetFactory(factory);
    void restorer?.restore(tracker, {
      command: 'docmanager:open',
      args: ({ context }) => ({ path: context.path, factory: EDITOR }),
      name: ({ context }) => context.path
    });
    return tracker;
  }
};

function addToolbarItems(
  toolbars: IToolbarWidgetRegistry,
  { translator }: Host,
  dialogs: ISessionContextDialogs | null
): void {
  toolbars.addFactory<FlowWidget>(EDITOR, 'kernelName', ({ context }) =>
    Toolbar.createKernelNameItem(context.sessionContext, dialogs ?? undefined, translator)
  );
  toolbars.addFactory<FlowWidget>(EDITOR, 'kernelStatus', ({ context }) =>
    Toolbar.createKernelStatusItem(context.sessionContext, translator)
  );
}

/** The canvas's verbs as commands, loaded once the page stands. */
const verbs: JupyterFrontEndPlugin<void> = {
  id: 'iaiflow-lab:commands',
  description: "Makes the canvas's verbs JupyterLab commands.",
  autoStart: true,
  requires: [IFlowHost, IFlowTracker],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    { translator }: Host,
    tracker: FlowTracker,
    palette: ICommandPalette | null
  ): void => {
    const trans = labTranslator(translator);
    const add = async (): Promise<void> => {
      const { listed, registerVerbs } = await import('./verbs');
      const present = () => tracker.currentWidget?.content.controller.get() ?? null;
      const registered = registerVerbs(app.commands, trans, present);
      registered.filter(listed).forEach(({ id, category }) => {
        palette?.addItem({ command: id, category: `${CATEGORY}: ${category}` });
      });
      follow(app, tracker);
    };
    void Promise.race([app.restored, firstOf(tracker)]).then(add);
  }
};

function firstOf(tracker: FlowTracker): Promise<void> {
  return new Promise(resolve => tracker.widgetAdded.connect(() => resolve()));
}

/** Let buttons know when a command may have become possible or impossible. */
function follow(app: JupyterFrontEnd, tracker: FlowTracker): void {
  let waiting = false;
  const changed = (): void => {
    if (!waiting) {
      waiting = true;
      beforePaint(() => {
        waiting = false;
        app.commands.notifyCommandChanged();
      });
    }
  };
  const watch = ({ content }: FlowWidget): void => {
    void content.ready.promise.then(() => {
      const controller = content.controller.get();
      const link = controller?.link;
      controller?.view.subscribe(changed);
      controller?.document.state.subscribe(changed);
      link?.subscribe(() => {
        changed();
        link.get()?.runs.run.subscribe(changed);
        link.get()?.status.subscribe(changed);
      });
      link?.get()?.runs.run.subscribe(changed);
      link?.get()?.status.subscribe(changed);
      changed();
    });
  };
  tracker.forEach(watch);
  tracker.widgetAdded.connect((_, widget) => watch(widget));
  tracker.currentChanged.connect(changed);
}

/** New flows: from the launcher, the File menu and the palette. */
const creation: JupyterFrontEndPlugin<void> = {
  id: 'iaiflow-lab:new',
  description: 'Makes new flows, empty or from a template.',
  autoStart: true,
  requires: [IFlowHost],
  optional: [ILauncher, ICommandPalette, IFileBrowserFactory],
  activate: (
    app: JupyterFrontEnd,
    { translator }: Host,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    browsers: IFileBrowserFactory | null
  ): void => {
    const trans = labTranslator(translator);
    addCreate(app, trans, browsers);
    addTemplates(app, trans);
    [CREATE, TEMPLATE].forEach((command, place) => {
      launcher?.add({ command, category: CATEGORY, rank: place + 1 });
      palette?.addItem({ command, category: CATEGORY, args: { palette: true } });
    });
  }
};

const CREATE = 'iaiflow:create-new';
const TEMPLATE = 'iaiflow:new-from-template';

/** Without a folder, a new flow goes where files are looked at now. */
function addCreate(app: JupyterFrontEnd, trans: Trans, browsers: IFileBrowserFactory | null): void {
  app.commands.addCommand(CREATE, {
    label: args => (args.palette ? trans('New flow') : trans('Flow')),
    caption: trans('Create a flow and open it'),
    icon: args => (args.palette ? undefined : flowIcon),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          cwd: { type: 'string', description: 'Folder of the new file.' },
          template: { type: 'string', enum: templates(trans).map(({ id }) => id) }
        }
      }
    },
    execute: async args => {
      const wanted = templates(trans).find(({ id }) => id === (args.template ?? 'empty'));
      if (!wanted) {
        throw new Error(trans('There is no template {name}.', { name: String(args.template) }));
      }
      const present = browsers?.tracker.currentWidget?.model.path ?? '';
      const cwd = typeof args.cwd === 'string' ? args.cwd : present;
      return create(app, cwd, wanted);
    }
  });
}

function addTemplates(app: JupyterFrontEnd, trans: Trans): void {
  app.commands.addCommand(TEMPLATE, {
    label: args =>
      args.palette ? trans('New flow from a template…') : trans('Flow from a template…'),
    caption: trans('Choose what the new flow starts from'),
    icon: args => (args.palette ? undefined : flowIcon),
    describedBy: { args: { type: 'object', properties: { cwd: { type: 'string' } } } },
    execute: async args => {
      const offered = templates(trans);
      const { value } = await InputDialog.getItem({
        title: trans('New flow from a template'),
        label: trans('Template'),
        items: offered.map(({ title }) => title)
      });
      const chosen = offered.find(({ title }) => title === value);
      return chosen && app.commands.execute(CREATE, { ...args, template: chosen.id });
    }
  });
}

/** Make a file in a folder and open it. */
async function create(app: JupyterFrontEnd, cwd: string, { text }: Template): Promise<unknown> {
  const { contents } = app.serviceManager;
  const made = await contents.newUntitled({ path: cwd, type: 'file', ext: EXTENSION });
  const name = PathExt.basename(made.path).slice(0, -EXTENSION.length);
  const named = text.replace('"name": ""', `"name": ${JSON.stringify(name)}`);
  await contents.save(made.path, { type: 'file', format: 'text', content: named });
  return app.commands.execute('docmanager:open', { path: made.path, factory: EDITOR });
}

/** The line about the flow in front. */
const status: JupyterFrontEndPlugin<void> = {
  id: 'iaiflow-lab:status',
  description: "Shows the flow's run, kernel and problems in the status bar.",
  autoStart: true,
  requires: [IFlowHost, IFlowTracker],
  optional: [IStatusBar],
  activate: (
    app: JupyterFrontEnd,
    lent: Host,
    tracker: FlowTracker,
    bar: IStatusBar | null
  ): void => {
    if (!bar) {
      return; // Notebook has none
    }
    const item = new FlowStatus(labTranslator(lent.translator));
    const look = (): void => {
      const widget = tracker.currentWidget;
      item.follow(widget && widget === app.shell.currentWidget ? widget.content : null);
    };
    tracker.currentChanged.connect(look);
    app.shell.currentChanged?.connect(look);
    bar.registerStatusItem('iaiflow-lab:status', {
      item,
      align: 'left',
      rank: 20,
      isActive: () => item.active,
      activeStateChanged: item.activity
    });
  }
};

export const plugins = [host, documents, verbs, creation, status];
