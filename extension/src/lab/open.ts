/** Documents that are open on the page. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Widget } from '@lumino/widgets';

type Context = DocumentRegistry.Context;

/** Every document of a file that is open in some editor. */
export function contextsOf(app: JupyterFrontEnd, path: string): readonly Context[] {
  const { contents } = app.serviceManager;
  const wanted = contents.localPath(path);
  const found = [...app.shell.widgets('main')]
    .map(contextOf)
    .filter(context => context && contents.localPath(context.path) === wanted);
  return [...new Set(found)] as Context[];
}

/** Save what has changed in a file that is open; says whether anything had. */
export async function saveOpen(app: JupyterFrontEnd, path: string): Promise<boolean> {
  const changed = contextsOf(app, path).filter(({ model }) => model.dirty);
  for (const context of changed) {
    await context.save();
  }
  return changed.length > 0;
}

function contextOf(widget: Widget): Context | undefined {
  return (widget as Widget & { readonly context?: Context }).context;
}

/** Where the folders of people usually stand. */
const HOME = /^(\/root|\/home\/[^/]+|\/Users\/[^/]+)\//;

/** Where Jupyter has a file, by its whole path on the server's machine; null: it has not. */
export function servedPath(path: string, root: string): string | null {
  if (root === '~') {
    return HOME.test(path) ? path.replace(HOME, '') : null;
  }
  // Of a server's folder in `~` only the end is known.
  const folder = `${root.replace(/^~/, '').replace(/\/+$/, '')}/`;
  const at = path.indexOf(folder);
  return at === 0 || (at > 0 && root.startsWith('~')) ? path.slice(at + folder.length) : null;
}

/** Open a file by its whole path on the server's machine. */
export async function openWorkspaceFile(app: JupyterFrontEnd, path: string): Promise<void> {
  const served = servedPath(path, PageConfig.getOption('serverRoot'));
  await app.commands.execute('docmanager:open', { path: served ?? path });
}
