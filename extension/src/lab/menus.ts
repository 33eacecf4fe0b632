/** JupyterLab's Kernel, Edit and Run menus serve the flow in front. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  ISessionContextDialogs,
  SessionContextDialogs,
  type ISessionContext
} from '@jupyterlab/apputils';
import { IMainMenu } from '@jupyterlab/mainmenu';
import type { Trans } from '../core/i18n';
import { IFlowHost, IFlowTracker, type FlowTracker } from './documents';
import type { Host } from './place';
import { labTranslator } from './translation';

interface KernelVerb {
  readonly id: string;
  readonly label: string;
  readonly needsKernel: boolean;
  execute(session: ISessionContext): unknown;
}

export const menus: JupyterFrontEndPlugin<void> = {
  id: 'iaiflow-lab:menus',
  description: "Lets JupyterLab's menus act on flow documents.",
  autoStart: true,
  requires: [IFlowHost, IFlowTracker, IMainMenu],
  optional: [ISessionContextDialogs],
  activate: (
    app: JupyterFrontEnd,
    { translator }: Host,
    tracker: FlowTracker,
    menu: IMainMenu,
    dialogs: ISessionContextDialogs | null
  ): void => {
    const inFront = (): ISessionContext | null => {
      const widget = tracker.currentWidget;
      return widget && widget === app.shell.currentWidget ? widget.context.sessionContext : null;
    };
    const offered = kernelVerbs(
      labTranslator(translator),
      dialogs ?? new SessionContextDialogs({ translator })
    );
    for (const { id, label, needsKernel, execute } of Object.values(offered)) {
      app.commands.addCommand(id, {
        label,
        isEnabled: () => Boolean(needsKernel ? inFront()?.session?.kernel : inFront()),
        describedBy: { args: { type: 'object', properties: {}, additionalProperties: false } },
        execute: () => {
          const session = inFront();
          return session && execute(session);
        }
      });
    }
    const isEnabled = () => inFront() !== null;
    const { kernelUsers } = menu.kernelMenu;
    kernelUsers.interruptKernel.add({ id: offered.interrupt.id, isEnabled });
    kernelUsers.restartKernel.add({ id: offered.restart.id, isEnabled });
    kernelUsers.shutdownKernel.add({ id: offered.shutdown.id, isEnabled });
    kernelUsers.changeKernel.add({ id: offered.change.id, isEnabled });
    menu.editMenu.undoers.undo.add({ id: 'iaiflow:undo', isEnabled });
    menu.editMenu.undoers.redo.add({ id: 'iaiflow:redo', isEnabled });
    menu.runMenu.codeRunners.runAll.add({ id: 'iaiflow:run-all', isEnabled });
  }
};

function kernelVerbs(trans: Trans, dialogs: ISessionContext.IDialogs) {
  const verb = (
    name: string,
    label: string,
    execute: KernelVerb['execute'],
    needsKernel = true
  ): KernelVerb => ({ id: `iaiflow:${name}-kernel`, label, needsKernel, execute });
  return {
    interrupt: verb('interrupt', trans('Interrupt the kernel'), ({ session }) =>
      session?.kernel?.interrupt()
    ),
    restart: verb('restart', trans('Restart the kernel'), session => dialogs.restart(session)),
    shutdown: verb('shutdown', trans('Shut the kernel down'), session => session.shutdown()),
    change: verb(
      'change',
      trans('Choose a kernel'),
      session => dialogs.selectKernel(session),
      false
    )
  };
}
