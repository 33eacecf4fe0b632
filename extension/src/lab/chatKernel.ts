/**
 * Keeps a chat joined to the kernel of a document, whether or not the document is open: through
 * starts, restarts, lost connections and changes of the kernel.
 */
import type { Kernel, Session } from '@jupyterlab/services';
import { CHAT_TARGET } from '../core/chatLink';
import type { Trans } from '../core/i18n';
import type { Transport } from '../core/link';
import { Store } from '../core/store';
import type { Absence } from '../canvas/chat/mount';
import type { Absent, Unfit } from './fitness';
import { Joining } from './joining';
import { RELEASE } from './names';

/** The module of the kernel whose `register()` lets chats reach it. */
const MODULE = 'iaiflow_agents.chat.comm';

interface Options {
  readonly sessions: Session.IManager;
  readonly trans: Trans;
  /** The document's path, as sessions have it. */
  readonly path: string;
  /** Opens the document. */
  open(): void;
}

export class ChatKernel {
  /** Why there is no line; null: there is one. */
  readonly absence = new Store<Absence | null>(null);
  private readonly joining: Joining;
  private session: Session.ISessionConnection | null = null;
  private isDisposed = false;

  constructor(private readonly options: Options) {
    const { sessions } = options;
    this.joining = new Joining({
      module: MODULE,
      target: CHAT_TARGET,
      kernel: () => this.kernel,
      onAbsent: why => this.absence.set(this.said(why)),
      onUnfit: why => this.absence.set(this.unfit(why)),
      onFit: () => this.absence.set(null)
    });
    sessions.runningChanged.connect(this.find, this);
    void sessions.ready.then(() => this.find());
    this.find();
  }

  get transport(): Transport {
    return this.joining.transport;
  }

  get kernel(): Kernel.IKernelConnection | null {
    return this.session?.kernel ?? null;
  }

  dispose(): void {
    this.isDisposed = true;
    this.options.sessions.runningChanged.disconnect(this.find, this);
    this.connect(null);
  }

  /** Take the session that the document has now. */
  private find(): void {
    if (this.isDisposed) {
      return;
    }
    const { sessions, path } = this.options;
    const running = [...sessions.running()];
    const { id: known = '' } = this.session ?? {};
    const model =
      running.find(({ path: found }) => found === path) ??
      running.find(({ id }) => id === known) ?? // the document was renamed
      null;
    if ((model?.id ?? '') !== known || this.session?.isDisposed) {
      this.connect(model);
    }
    this.joining.look();
  }

  private connect(model: Session.IModel | null): void {
    this.joining.follow(null);
    this.joining.leave();
    this.session?.dispose();
    this.session = model && this.options.sessions.connectTo({ model });
    this.joining.follow(this.session);
  }

  private said(why: Absent): Absence {
    const { trans, open, path } = this.options;
    if (why === 'starting') {
      const message = trans('The kernel of {path} starts; the chat goes on when it is there.', {
        path
      });
      return { message, command: '', action: null };
    }
    return {
      message: trans('The kernel of {path} does not run. Open it, start its kernel, and run it.', {
        path
      }),
      command: '',
      action: { label: trans('Open'), run: open }
    };
  }

  private unfit(unfit: Unfit): Absence {
    const { trans } = this.options;
    const again = { label: trans('Try again'), run: () => this.joining.retry() };
    const say = (message: string, command = ''): Absence => ({ message, command, action: again });
    switch (unfit.kind) {
      case 'language':
        return say(
          trans('This kernel speaks {language}. Choose a Python kernel to talk with agents.', {
            language: unfit.language
          })
        );
      case 'missing':
        return say(
          trans('This kernel has no iaiflow-lab. Install it, then restart the kernel:'),
          unfit.command
        );
      case 'version':
        return say(
          trans(
            'This kernel has iaiflow-lab {found} and this page {needed}. Install the same version, then restart the kernel:',
            { found: unfit.found, needed: RELEASE }
          ),
          unfit.command
        );
      case 'broken':
        return say(
          trans('iaiflow-lab cannot be used in this kernel: {error}', { error: unfit.error })
        );
    }
  }
}
