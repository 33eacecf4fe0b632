/** Runs and schedules in JupyterLab: the side panel, the dialogs, and news of runs. */
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  Dialog,
  ICommandPalette,
  MainAreaWidget,
  ReactWidget,
  showDialog
} from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { INotebookTracker } from '@jupyterlab/notebook';
import type { Message } from '@lumino/messaging';
import type { ReactElement } from 'react';
import type { Client } from '../api/client';
import type { Missed, RunSummary, Schedule } from '../api/types';
import type { Trans } from '../core/i18n';
import { Panel, PanelState } from '../panels/Panel';
import { Compare } from '../panels/Compare';
import { HostContext, type PanelHost } from '../panels/host';
import { QueueForm } from '../panels/QueueForm';
import { RunsStore } from '../panels/runsStore';
import { Asking } from '../panels/Schedules';
import { ScheduleForm } from '../panels/ScheduleForm';
import { SecretsForm } from '../panels/SecretsForm';
import { fileName } from '../panels/words';
import { openDebug, openOutput } from './debugging';
import { ask } from './dialogs';
import { IFlowHost, IFlowTracker, type FlowTracker } from './documents';
import { mountForm } from './form';
import { queueIcon, runsIcon, scheduleIcon } from './icon';
import { CATEGORY, SECRETS } from './names';
import { RunNews } from './news';
import { saveOpen } from './open';
import type { Host } from './place';
import { serviceClient } from './service';
import { labTranslator, languageOf } from './translation';

const SHOW = 'iaiflow:show-runs';
const SHOW_SCHEDULES = 'iaiflow:show-schedules';
const QUEUE = 'iaiflow:queue';
const SCHEDULE = 'iaiflow:schedule';
const PANEL_ID = 'iaiflow-runs';
const TARGET = /\.(ipynb|flow\.json)$/;

export const production: JupyterFrontEndPlugin<void> = {
  id: 'iaiflow-lab:production',
  description: 'Queues and schedules notebooks and flows, and shows their runs.',
  autoStart: true,
  requires: [IFlowHost, IFlowTracker],
  optional: [
    ILabShell,
    INotebookTracker,
    ICommandPalette,
    IFileBrowserFactory,
    IMainMenu,
    ILayoutRestorer
  ],
  activate: (
    app: JupyterFrontEnd,
    lent: Host,
    flows: FlowTracker,
    shell: ILabShell | null,
    notebooks: INotebookTracker | null,
    palette: ICommandPalette | null,
    browsers: IFileBrowserFactory | null,
    menu: IMainMenu | null,
    restorer: ILayoutRestorer | null
  ): void => {
    if (!shell) {
      return; // Notebook has no room for a side panel
    }
    const offered = PageConfig.getOption('iaiflowService');
    if (!offered) {
      return; // the Jupyter server knows no service
    }
    const client = serviceClient(app.serviceManager.serverSettings);
    const made = new Production(app, lent, client, flows);
    if (offered === 'known') {
      made.begin();
    }
    made.addPanel(restorer);
    made.addCommands(() => documentInFront(app, notebooks, flows), browsers, palette);
    menu?.runMenu.addGroup([{ command: QUEUE }, { command: SCHEDULE }], 50);
    menu?.viewMenu.addGroup([{ command: SHOW }, { command: SHOW_SCHEDULES }], 50);
    const changed = (): void =>
      [QUEUE, SCHEDULE].forEach(id => app.commands.notifyCommandChanged(id));
    shell.currentChanged?.connect(changed);
  }
};

type Context = DocumentRegistry.Context;

function documentInFront(
  app: JupyterFrontEnd,
  notebooks: INotebookTracker | null,
  flows: FlowTracker
): Context | null {
  const present = [notebooks?.currentWidget, flows.currentWidget];
  const widget = present.find(each => each && each === app.shell.currentWidget);
  return (widget?.context as Context | undefined) ?? null;
}

class RunsWidget extends ReactWidget {
  constructor(
    private readonly state: PanelState,
    private readonly begin: () => void
  ) {
    super();
  }

  protected override onAfterShow(message: Message): void {
    this.begin();
    super.onAfterShow(message);
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    if (!this.node.contains(document.activeElement)) {
      this.node.focus();
    }
  }

  protected override render(): ReactElement {
    return <Panel state={this.state} />;
  }
}

class Production {
  private readonly trans: Trans;
  private readonly state: PanelState;
  private readonly news: RunNews;
  private begun = false;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly lent: Host,
    private readonly client: Client,
    private readonly flows: FlowTracker
  ) {
    const { translator } = lent;
    this.trans = labTranslator(translator);
    this.state = new PanelState(
      this.host(),
      new RunsStore(client, missed => this.missed(missed)),
      new Asking()
    );
    this.news = new RunNews(this.trans, languageOf(translator), {
      run: id => this.show(id),
      schedule: id => this.showSchedule(id),
      isInFront: flow => this.isInFront(flow)
    });
    this.state.runs.watch(this.news.take);
  }

  /** Follow what goes on; begun again, it does nothing. The first request makes a workspace. */
  begin(): void {
    if (!this.begun) {
      this.begun = true;
      this.state.runs.start();
    }
  }

  addPanel(restorer: ILayoutRestorer | null): void {
    const panel = new RunsWidget(this.state, () => this.begin());
    panel.id = PANEL_ID;
    panel.addClass('iai-Panel');
    panel.title.icon = runsIcon;
    panel.title.caption = this.trans('Runs and schedules');
    panel.node.tabIndex = -1; // so that Tab goes on from the panel once it is shown
    panel.node.setAttribute('role', 'region');
    panel.node.setAttribute('aria-label', this.trans('Runs and schedules'));
    this.app.shell.add(panel, 'left', { rank: 600, type: 'Runs' });
    restorer?.add(panel, PANEL_ID);
  }

  addCommands(
    inFront: () => Context | null,
    browsers: IFileBrowserFactory | null,
    palette: ICommandPalette | null
  ): void {
    const { app, trans } = this;
    const chosen = (): string =>
      browsers?.tracker.currentWidget?.selectedItems().next().value?.path ?? '';
    const describedBy = {
      args: {
        type: 'object' as const,
        properties: {
          path: { type: 'string' as const, description: 'The file; else the one in front.' },
          browser: {
            type: 'boolean' as const,
            description: 'Take the file chosen in the browser.'
          },
          palette: { type: 'boolean' as const, description: 'Leave the icon out.' },
          toolbar: { type: 'boolean' as const, description: 'Leave the label out.' }
        }
      }
    };
    const nothing = { args: { type: 'object' as const, properties: {} } };
    const add = (
      id: string,
      label: string,
      icon: typeof queueIcon,
      open: typeof this.queue
    ): void => {
      app.commands.addCommand(id, {
        label: args => (args.toolbar ? '' : label),
        caption: label,
        icon: args => (args.palette ? undefined : icon),
        describedBy,
        isEnabled: args => Boolean(args.path) || (args.browser ? true : inFront() !== null),
        isVisible: args => !args.browser || TARGET.test(chosen()),
        execute: async args => {
          const named = typeof args.path === 'string' ? args.path : args.browser ? chosen() : '';
          const path = app.serviceManager.contents.localPath(named || inFront()?.path || '');
          if (path) {
            await open.call(this, path, await this.save(path));
          }
        }
      });
      palette?.addItem({ command: id, category: CATEGORY, args: { palette: true } });
    };
    add(QUEUE, trans('Queue this notebook or flow'), queueIcon, this.queue);
    add(SCHEDULE, trans('Schedule this notebook or flow'), scheduleIcon, this.schedule);
    app.commands.addCommand(SHOW, {
      label: trans('Show runs'),
      describedBy: nothing,
      execute: () => this.reveal('runs')
    });
    app.commands.addCommand(SHOW_SCHEDULES, {
      label: trans('Show schedules'),
      describedBy: nothing,
      execute: () => this.reveal('schedules')
    });
    app.commands.addCommand(SECRETS, {
      label: trans('Secrets…'),
      describedBy: nothing,
      execute: () => this.secrets()
    });
    [SHOW, SHOW_SCHEDULES, SECRETS].forEach(command =>
      palette?.addItem({ command, category: CATEGORY })
    );
    for (const [command, rank] of [
      [QUEUE, 20],
      [SCHEDULE, 21]
    ] as const) {
      const selector = '.jp-DirListing-item[data-isdir="false"]';
      app.contextMenu.addItem({ command, rank, selector, args: { browser: true } });
    }
  }

  private host(): PanelHost {
    const { app, client, lent } = this;
    const trans = labTranslator(lent.translator);
    return {
      client,
      trans,
      language: languageOf(lent.translator),
      mountForm: (element, props) => mountForm(lent, trans, element, props),
      open: path => void app.commands.execute('docmanager:open', { path }),
      save: path => this.save(path),
      compare: run => this.compare(run),
      openOutput: run => openOutput(app, client, run),
      debug: (run, step) => openDebug(app, run, step),
      edit: schedule => void this.edit(schedule),
      confirm: async (title, body, accept) => {
        const buttons = [
          Dialog.cancelButton({ label: trans('Cancel') }),
          Dialog.warnButton({ label: accept })
        ];
        return (await showDialog({ title, body, buttons })).button.accept;
      }
    };
  }

  /** What runs is the file: changes that are not saved yet are saved first. */
  private async save(path: string): Promise<string> {
    return (await saveOpen(this.app, path))
      ? this.trans('Your changes were saved first: what runs is the file.')
      : '';
  }

  private compare(run: RunSummary): void {
    const { host } = this.state;
    const id = `iaiflow-compare-${run.id}`;
    if ([...this.app.shell.widgets('main')].some(widget => widget.id === id)) {
      this.app.shell.activateById(id);
      return;
    }
    const content = ReactWidget.create(
      <HostContext.Provider value={host}>
        <Compare run={run} />
      </HostContext.Provider>
    );
    content.addClass('iai-root');
    content.addClass('iai-Panel-page');
    const widget = new MainAreaWidget({ content });
    widget.id = id;
    widget.title.label = this.trans('Compare {name}', { name: fileName(run.flow) });
    widget.title.icon = runsIcon;
    this.app.shell.add(widget, 'main');
    this.app.shell.activateById(widget.id);
  }

  private async queue(path: string, note: string): Promise<void> {
    this.begin();
    let made = '';
    await ask(this.state.host, {
      title: this.trans('Queue a run'),
      accept: this.trans('Queue'),
      body: submission => (
        <QueueForm
          path={path}
          note={note}
          submission={submission}
          onDone={({ id }) => {
            made = id;
            this.news.expect(id);
          }}
        />
      )
    });
    if (made) {
      this.show(made); // now: the dialog gives the focus back when it closes
    }
  }

  private async secrets(): Promise<string> {
    this.begin();
    let made = '';
    await ask(this.state.host, {
      title: this.trans('Secrets'),
      accept: this.trans('Save'),
      body: submission => (
        <SecretsForm
          submission={submission}
          onSet={name => {
            made = name;
          }}
        />
      )
    });
    return made;
  }

  private schedule(path: string, note: string): Promise<void> {
    return this.scheduleDialog(path, note, null);
  }

  private edit(schedule: Schedule): Promise<void> {
    return this.scheduleDialog(schedule.target, '', schedule);
  }

  private async scheduleDialog(
    path: string,
    note: string,
    schedule: Schedule | null
  ): Promise<void> {
    this.begin();
    let isSaved = false;
    await ask(this.state.host, {
      title: schedule ? this.trans('Edit the schedule') : this.trans('New schedule'),
      accept: this.trans('Save'),
      body: submission => (
        <ScheduleForm
          path={path}
          schedule={schedule}
          note={note}
          submission={submission}
          onDone={() => {
            isSaved = true;
          }}
        />
      )
    });
    if (isSaved) {
      this.state.asking.again();
      this.reveal('schedules');
    }
  }

  /** The workspace may be a folder of Jupyter's, or hold it. */
  private isInFront(flow: string): boolean {
    const { currentWidget: shown } = this.flows;
    const path = shown?.context.localPath ?? '';
    const isSame = path === flow || path.endsWith(`/${flow}`) || flow.endsWith(`/${path}`);
    return shown !== null && shown === this.app.shell.currentWidget && isSame;
  }

  private missed(missed: Missed): void {
    this.news.takeMissed(missed);
    this.state.asking.again();
  }

  private show(run: string): void {
    this.state.show(run);
    this.app.shell.activateById(PANEL_ID);
  }

  private showSchedule(schedule: string): void {
    this.state.showSchedule(schedule);
    this.app.shell.activateById(PANEL_ID);
  }

  private reveal(page: 'runs' | 'schedules'): void {
    this.state.page.set(page);
    this.app.shell.activateById(PANEL_ID);
  }
}
