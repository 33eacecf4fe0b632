/**
 * Keeps a chat joined to the kernel of a document, whether or not the document is open: through
 * starts, restarts, lost connections and changes of the kernel.
 */
import type { Kernel, Session } from '@jupyterlab/services';
import { CHAT_TARGET } from '../core/chatLink';
import type { Trans } from '../core/i18n';
import { Store } from '../core/store';
import type { Absence } from '../canvas/chat/mount';
import { CommTransport } from './comm';
import { absence, register, type Joined, type Unfit } from './fitness';
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
  readonly transport = new CommTransport();
  private session: Session.ISessionConnection | null = null;
  /** The kernel that was joined last; null: it has to be joined anew. */
  private joined: Kernel.IKernelConnection | null = null;
  private turn = 0;
  private isDisposed = false;

  constructor(private readonly options: Options) {
    const { sessions } = options;
    sessions.runningChanged.connect(this.find, this);
    void sessions.ready.then(() => this.find());
    this.find();
  }

  get kernel(): Kernel.IKernelConnection | null {
    return this.session?.kernel ?? null;
  }

  dispose(): void {
    this.isDisposed = true;
    this.options.sessions.runningChanged.disconnect(this.find, this);
    this.leave('none');
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
    this.look();
  }

  private connect(model: Session.IModel | null): void {
    const before = this.session;
    if (before && !before.isDisposed) {
      before.kernelChanged.disconnect(this.look, this);
      before.statusChanged.disconnect(this.look, this);
      before.connectionStatusChanged.disconnect(this.look, this);
      this.transport.detach();
      before.dispose();
    }
    this.joined = null;
    this.session = model && this.options.sessions.connectTo({ model });
    this.session?.kernelChanged.connect(this.look, this);
    this.session?.statusChanged.connect(this.look, this);
    this.session?.connectionStatusChanged.connect(this.look, this);
  }

  /** Join or leave, as the kernel's state asks for. */
  private look(): void {
    const { kernel } = this;
    const missing = absence(kernel);
    if (!kernel || missing) {
      this.leave(missing ?? 'none');
    } else if (this.joined !== kernel) {
      this.joined = kernel;
      void this.join(kernel);
    }
  }

  private leave(why: Joined): void {
    this.joined = null;
    this.turn += 1;
    this.transport.detach();
    this.absence.set(this.said(why));
  }

  private async join(kernel: Kernel.IKernelConnection): Promise<void> {
    const turn = (this.turn += 1);
    this.absence.set(this.said('starting'));
    const unfit = await register(this.transport, kernel, MODULE).catch(broken);
    if (turn !== this.turn) {
      return;
    }
    if (unfit) {
      this.absence.set(this.unfit(unfit));
    } else {
      this.absence.set(null);
      this.transport.open(CHAT_TARGET);
    }
  }

  private said(why: Joined): Absence {
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
    const again = {
      label: trans('Try again'),
      run: () => {
        this.joined = null;
        this.look();
      }
    };
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

function broken(error: unknown): Unfit {
  return { kind: 'broken', error: error instanceof Error ? error.message : String(error) };
}
