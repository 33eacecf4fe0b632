/**
 * Keeps a document's canvas joined to its kernel: through starts, restarts, lost connections and
 * changes of the kernel. A kernel that cannot run flows is named with what to do about it.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import type { Catalog } from '../core/catalog';
import type { Controller } from '../core/controller';
import { KernelLink } from '../core/link';
import { Store } from '../core/store';
import { FlowSync } from '../core/sync';
import { CommTransport, RUNNING, type Answers } from './comm';
import { RELEASE } from './names';

/** Why there is no canvas in the kernel; `command` installs what is missing. */
export interface Obstacle {
  readonly message: string;
  readonly command: string;
}

export type Joined = 'none' | 'starting' | 'ready' | 'unsuitable' | 'lost';

const EXPRESSIONS = {
  python: "__import__('sys').executable",
  version: "__import__('importlib.metadata', fromlist=['version']).version('iaiflow-lab')",
  register: "__import__('iaiflow_lab.canvas.comm', fromlist=['register']).register()"
};

export class KernelBinding {
  readonly state = new Store<Joined>('none');
  readonly obstacle = new Store<Obstacle | null>(null);
  private readonly transport = new CommTransport();
  private readonly link: KernelLink;
  private readonly sync: FlowSync;
  private readonly ends: (() => void)[];
  /** The kernel that was joined last; null: it has to be joined anew. */
  private joined: Kernel.IKernelConnection | null = null;
  private turn = 0;
  /** Why the document could not be read when it was looked at last. */
  private fault: string;
  private told: readonly string[] = [];

  constructor(
    private readonly controller: Controller,
    private readonly session: ISessionContext,
    private readonly path: () => string,
    private readonly builtin: Catalog
  ) {
    const { trans } = controller.services;
    this.link = new KernelLink(this.transport, { trans });
    this.sync = new FlowSync({ controller, link: this.link, follows: false, trans, path });
    const { state } = controller.document;
    this.fault = state.get().fault;
    this.ends = [
      state.subscribe(() => this.repaired()),
      this.link.status.subscribe(() => this.heard()),
      this.sync.state.subscribe(() => this.heard())
    ];
    session.kernelChanged.connect(this.look, this);
    session.statusChanged.connect(this.look, this);
    session.connectionStatusChanged.connect(this.look, this);
    this.look();
  }

  /** The kernel, whether or not it can run flows. */
  get kernel(): Kernel.IKernelConnection | null {
    return this.session.session?.kernel ?? null;
  }

  /** Join again, e.g. after something was installed. */
  retry(): void {
    this.joined = null;
    this.look();
  }

  /** The document was saved with this text: keep the version in the history. */
  async kept(text: string): Promise<void> {
    if (this.state.get() === 'ready') {
      await this.controller.attempt(() => this.link.request('kept', { path: this.path(), text }));
    }
  }

  dispose(): void {
    this.turn += 1;
    this.session.kernelChanged.disconnect(this.look, this);
    this.session.statusChanged.disconnect(this.look, this);
    this.session.connectionStatusChanged.disconnect(this.look, this);
    this.ends.forEach(end => end());
    this.controller.link.set(null);
    this.sync.dispose();
    this.transport.detach();
    this.link.dispose();
  }

  /** Join or leave, as the kernel's state asks for. */
  private look(): void {
    const kernel = this.kernel;
    if (!kernel || kernel.connectionStatus !== 'connected' || !RUNNING.has(kernel.status)) {
      this.leave(absence(kernel));
    } else if (this.joined !== kernel) {
      this.joined = kernel;
      void this.join(kernel);
    }
  }

  private leave(state: Joined): void {
    this.joined = null;
    this.turn += 1;
    this.transport.detach();
    this.link.expectBack(state === 'starting');
    this.obstacle.set(null);
    this.state.set(state);
    if (state === 'none') {
      this.controller.link.set(null);
      this.controller.catalog.set(this.builtin);
    }
  }

  private async join(kernel: Kernel.IKernelConnection): Promise<void> {
    const turn = (this.turn += 1);
    this.state.set('starting');
    try {
      const obstacle = await this.enter(kernel);
      if (turn === this.turn) {
        if (obstacle) {
          this.refuse(obstacle);
        } else {
          this.transport.open();
        }
      }
    } catch (error) {
      if (turn === this.turn) {
        this.refuse({
          message: error instanceof Error ? error.message : String(error),
          command: ''
        });
      }
    }
  }

  /** The document can be read again: the kernel gets what it says now. */
  private repaired(): void {
    const before = this.fault;
    this.fault = this.controller.document.state.get().fault;
    if (before && !this.fault) {
      this.retry();
    }
  }

  private refuse(obstacle: Obstacle): void {
    this.controller.link.set(null);
    this.obstacle.set(obstacle);
    this.state.set('unsuitable');
  }

  /** The kernel's side greeted, or said why it does not. */
  private heard(): void {
    const { fault, catalogProblems } = this.sync.state.get();
    const status = this.link.status.get();
    if (status === 'ready') {
      this.obstacle.set(null);
      this.controller.link.set(this.link);
      this.state.set('ready');
    } else if (status === 'outdated' || (status === 'connecting' && fault)) {
      const { trans } = this.controller.services;
      this.refuse({ message: fault || trans('The kernel has another version.'), command: '' });
    }
    if (catalogProblems !== this.told) {
      this.told = catalogProblems;
      catalogProblems.forEach(problem => this.controller.services.notify(problem, 'warning'));
    }
  }

  /** What keeps the kernel from running flows; null: nothing. */
  private async enter(kernel: Kernel.IKernelConnection): Promise<Obstacle | null> {
    const { language_info } = await kernel.info;
    if (language_info.name !== 'python') {
      return this.foreign(language_info.name);
    }
    await this.transport.attach(kernel);
    return this.unsuitable(await this.transport.evaluate(EXPRESSIONS));
  }

  private foreign(language: string): Obstacle {
    const { trans } = this.controller.services;
    const message = trans(
      'This kernel speaks {language}. Choose a Python kernel to run the flow.',
      { language }
    );
    return { message, command: '' };
  }

  private unsuitable(answers: Answers): Obstacle | null {
    const { trans } = this.controller.services;
    const command = `${quoted(text(answers.python) || 'python')} -m pip install iaiflow-lab==${RELEASE}`;
    const version = text(answers.version);
    if (!version) {
      const message = trans(
        'This kernel has no iaiflow-lab, so that the flow can be edited but not run. Install it, then restart the kernel:'
      );
      return { message, command };
    }
    if (version !== RELEASE) {
      const message = trans(
        'This kernel has iaiflow-lab {found} and the canvas is {needed}, so that the flow can be edited but not run. Install the same version, then restart the kernel:',
        { found: version, needed: RELEASE }
      );
      return { message, command };
    }
    const { register } = answers;
    if (register && 'error' in register) {
      const message = trans('iaiflow-lab cannot be used in this kernel: {error}', {
        error: `${register.name}: ${register.error}`
      });
      return { message, command };
    }
    return null;
  }
}

/** What it is called when a kernel cannot be talked with now. */
function absence(kernel: Kernel.IKernelConnection | null): Joined {
  if (!kernel) {
    return 'none';
  }
  const isOver = ['dead', 'terminating'].includes(kernel.status);
  return isOver || kernel.connectionStatus === 'disconnected' ? 'lost' : 'starting';
}

/** A string from Python's `repr` of it; "" when the expression failed. */
function text(answer: Answers[string] | undefined): string {
  const value = answer && 'value' in answer ? answer.value : '';
  return value.slice(1, -1).replace(/\\(.)/g, '$1');
}

/** A path for a shell. */
function quoted(path: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(path) ? path : `"${path}"`;
}
