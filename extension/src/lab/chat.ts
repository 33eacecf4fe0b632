/** Chats with the agents of a document's kernel, as panels. */
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { INotebookTracker } from '@jupyterlab/notebook';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import type { ChatAgent } from '../core/chat';
import { ChatLink } from '../core/chatLink';
import { Chats } from '../core/chats';
import { ChatKernel } from './chatKernel';
import { IFlowHost, IFlowTracker, type FlowTracker } from './documents';
import { chatIcon } from './icon';
import { CATEGORY, CHAT } from './names';
import type { Host } from './place';
import { labTranslator } from './translation';

export const chat: JupyterFrontEndPlugin<void> = {
  id: 'iaiflow-lab:chat',
  description: 'Talks with the agents of a kernel.',
  autoStart: true,
  requires: [IFlowHost, IFlowTracker],
  optional: [ILabShell, INotebookTracker, ICommandPalette, IMainMenu, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    host: Host,
    flows: FlowTracker,
    shell: ILabShell | null,
    notebooks: INotebookTracker | null,
    palette: ICommandPalette | null,
    menu: IMainMenu | null,
    restorer: ILayoutRestorer | null
  ): void => {
    if (!shell) {
      return; // Notebook shows one document at a time; there, agents have `chat()`
    }
    const tracker = new WidgetTracker<ChatPanel>({ namespace: 'iaiflow-chat' });
    const inFront = (): string => {
      const present = [notebooks?.currentWidget, flows.currentWidget];
      const widget = present.find(each => each && each === shell.currentWidget);
      return app.serviceManager.contents.localPath(widget?.context.path ?? '');
    };
    addCommand(app, host, tracker, inFront);
    palette?.addItem({ command: CHAT, category: CATEGORY });
    menu?.viewMenu.addGroup([{ command: CHAT }], 51);
    shell.currentChanged?.connect(() => app.commands.notifyCommandChanged(CHAT));
    void restorer?.restore(tracker, {
      command: CHAT,
      args: ({ path }) => ({ path }),
      name: ({ path }) => path
    });
  }
};

function addCommand(
  app: JupyterFrontEnd,
  host: Host,
  tracker: WidgetTracker<ChatPanel>,
  inFront: () => string
): void {
  const trans = labTranslator(host.translator);
  app.commands.addCommand(CHAT, {
    label: trans('Agent chat'),
    caption: trans('Talk with the agents of the kernel of this notebook or flow'),
    icon: args => (args.isPalette ? undefined : chatIcon),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: {
            type: 'string',
            description: 'Whose kernel; else that of the document in front.'
          },
          flow: { type: 'string', description: 'The file of the flow of an agent node.' },
          node: { type: 'string', description: 'The path of the agent node.' }
        }
      }
    },
    isEnabled: args => Boolean(args.path) || inFront() !== '',
    execute: ({ path, flow, node }) => {
      const { contents } = app.serviceManager;
      const wanted = typeof path === 'string' && path ? contents.localPath(path) : inFront();
      const known = tracker.find(panel => panel.path === wanted);
      const panel = known ?? new ChatPanel(host, wanted);
      if (typeof flow === 'string' && typeof node === 'string') {
        panel.turnTo({ kind: 'node', flow, path: node });
      }
      if (!known) {
        void tracker.add(panel);
        app.shell.add(panel, 'main', { mode: 'split-right' });
      }
      app.shell.activateById(panel.id);
    }
  });
}

/** One chat: with the agents of one document's kernel. */
class ChatPanel extends Widget {
  private readonly kernel: ChatKernel;
  private readonly chats: Chats;
  private end: () => void = () => undefined;

  constructor(
    private readonly host: Host,
    readonly path: string
  ) {
    super();
    const trans = labTranslator(host.translator);
    this.id = `iaiflow-chat-${path}`;
    this.addClass('iai-ChatPanel');
    this.node.tabIndex = -1;
    this.title.label = trans('Chat: {name}', { name: PathExt.basename(path) });
    this.title.caption = trans('Chat with the agents of {path}', { path });
    this.title.icon = chatIcon;
    this.title.closable = true;
    this.kernel = new ChatKernel({
      sessions: host.app.serviceManager.sessions,
      trans,
      path,
      open: () => void host.app.commands.execute('docmanager:open', { path })
    });
    this.chats = new Chats(new ChatLink(this.kernel.transport, trans));
    void this.show_();
  }

  /** Show the newest conversation with an agent, or a new one. */
  turnTo(agent: ChatAgent): void {
    void this.chats.turnTo(agent).then(() => this.chats.refresh());
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.end();
      this.chats.dispose();
      this.kernel.dispose();
      super.dispose();
    }
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    void this.chats.refresh(); // a cell may have made an agent meanwhile
    if (!this.node.contains(document.activeElement)) {
      (this.node.querySelector('textarea') ?? this.node).focus();
    }
  }

  /** What is heavy is loaded with the first chat. */
  private async show_(): Promise<void> {
    const [{ mountChat }, { labServices }] = await Promise.all([
      import('../canvas/chat/mount'),
      import('./services')
    ]);
    if (this.isDisposed) {
      return;
    }
    const place = {
      notebook: null,
      resolver: null,
      path: () => this.path,
      kernel: () => this.kernel.kernel
    };
    const mounted = mountChat(this.node, {
      chats: this.chats,
      services: labServices(this.host, place),
      absence: this.kernel.absence
    });
    this.end = () => mounted.dispose();
  }
}
