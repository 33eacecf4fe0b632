/** What JupyterLab lends to a canvas: its editors, forms, renderers, cells and notifications. */
import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { Trans } from '../core/i18n';
import type { Services } from '../core/services';
import { copyText, pasteText } from '../plain/clipboard';
import { showMarkdown } from '../plain/markdown';
import { mountEditor } from './editors';
import { mountForm } from './form';
import { mountOutput } from './outputs';
import { CHAT } from './names';
import { openWorkspaceFile } from './open';
import type { Host, Place } from './place';
import { labTranslator, languageOf } from './translation';
import { mountWidget } from './widgets';

export function labServices(host: Host, place: Place): Services {
  const trans: Trans = labTranslator(host.translator);
  return {
    kind: 'lab',
    language: languageOf(host.translator),
    trans,
    mountForm: (element, props) => mountForm(host, trans, element, props),
    mountEditor: (element, props) => mountEditor(host.editors, element, props),
    mountOutput: (element, props) => mountOutput(host, place, trans, element, props),
    showMarkdown,
    mountWidget: (element, id) => mountWidget(host, place, element, id),
    insertCell: code => insertCell(host, place, code),
    replaceCell: (element, was, code) => replaceCell(place, element, was, code),
    openFile: path => openFile(host, place, path),
    openWorkspaceFile: path => {
      openWorkspaceFile(host.app, path).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        Notification.error(trans('{path} cannot be opened here: {reason}', { path, reason }));
      });
    },
    openText: place.notebook || !place.path() ? null : () => openText(host, place),
    get openChat() {
      return host.app.commands.hasCommand(CHAT) ? openChat(host, place) : null;
    },
    notify: (message, kind) => {
      Notification.emit(message, kind, { autoClose: kind === 'error' ? 10_000 : 5_000 });
    },
    copy: copyText,
    paste: () => pasteText(trans)
  };
}

/** Into the notebook that holds the canvas, or one that has the same kernel, or a new one. */
function insertCell(host: Host, place: Place, code: string): boolean {
  const kernel = place.kernel();
  const panel =
    place.notebook ??
    host.notebooks?.find(({ sessionContext }) => sessionContext.session?.kernel?.id === kernel?.id);
  if (panel) {
    insertBelow(panel, place.notebook === null ? null : place, code);
    host.app.shell.activateById(panel.id);
    return true;
  }
  if (!host.notebooks || !kernel || !host.app.commands.hasCommand(CREATE)) {
    return false;
  }
  void newNotebook(host, place, kernel.id, code);
  return true;
}

const CREATE = 'notebook:create-new';

async function newNotebook(
  host: Host,
  place: Place,
  kernelId: string,
  code: string
): Promise<void> {
  const cwd = PathExt.dirname(place.path());
  const made: unknown = await host.app.commands.execute(CREATE, { cwd, kernelId });
  const panel = host.notebooks?.find(candidate => candidate === made);
  if (panel) {
    await panel.context.ready;
    panel.content.activeCell?.model.sharedModel.setSource(code);
  }
}

function insertBelow(panel: NotebookPanel, inline: Place | null, code: string): void {
  const { content } = panel;
  if (!inline) {
    content.activeCellIndex = content.widgets.length - 1;
  }
  NotebookActions.insertBelow(content);
  content.activeCell?.model.sharedModel.setSource(code);
}

/** The canvas may stand below another cell than the one that builds its flow. */
function replaceCell(place: Place, element: HTMLElement, was: string, code: string): boolean {
  const cells = place.notebook?.content.widgets ?? [];
  const same = cells.filter(({ model }) => model.sharedModel.getSource() === was);
  const own = same.find(({ node }) => node.contains(element));
  const cell = own ?? (same.length === 1 ? same[0] : undefined);
  if (!cell || cell.model.getMetadata('editable') === false) {
    return false;
  }
  cell.model.sharedModel.setSource(code);
  return true;
}

/** Paths in flows start at the folder of the flow. */
function openFile(host: Host, place: Place, path: string): void {
  const folder = PathExt.dirname(place.path());
  void host.app.commands.execute('docmanager:open', { path: PathExt.join(folder, path) });
}

function openChat({ app }: Host, place: Place): (flow: string, node: string) => void {
  return (flow, node) => void app.commands.execute(CHAT, { path: place.path(), flow, node });
}

function openText(host: Host, place: Place): void {
  const options = { mode: 'split-bottom' };
  const args = { path: place.path(), factory: 'Editor', options };
  void host.app.commands.execute('docmanager:open', args);
}
