/**
 * Keeps a document's canvas joined to its kernel: through starts, restarts, lost connections and
 * changes of the kernel. A kernel that cannot run flows is named with what to do about it.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import type { Catalog } from '../core/catalog';
import type { Controller } from '../core/controller';
import { KernelLink } from '../core/link';
import { COMM_TARGET } from '../core/protocol';
import { Store } from '../core/store';
import { FlowSync } from '../core/sync';
import type { Absent, Joined, Obstacle, Unfit } from './fitness';
import { Joining } from './joining';
import { RELEASE } from './names';

/** The module of the kernel whose `register()` lets canvases reach it. */
const MODULE = 'iaiflow_lab.canvas.comm';

export class KernelBinding {
  readonly state = new Store<Joined>('none');
  readonly obstacle = new Store<Obstacle | null>(null);
  private readonly joining: Joining;
  private readonly link: KernelLink;
  private readonly sync: FlowSync;
  private readonly ends: (() => void)[];
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
    this.joining = new Joining({
      module: MODULE,
      target: COMM_TARGET,
      kernel: () => this.kernel,
      onAbsent: why => this.left(why),
      onUnfit: why => this.refuse(this.obstacleOf(why))
    });
    this.link = new KernelLink(this.joining.transport, { trans });
    this.sync = new FlowSync({ controller, link: this.link, follows: false, trans, path });
    const { state } = controller.document;
    this.fault = state.get().fault;
    this.ends = [
      state.subscribe(() => this.repaired()),
      this.link.status.subscribe(() => this.heard()),
      this.sync.state.subscribe(() => this.heard())
    ];
    this.joining.follow(session);
    this.joining.look();
  }

  /** The kernel, whether or not it can run flows. */
  get kernel(): Kernel.IKernelConnection | null {
    return this.session.session?.kernel ?? null;
  }

  /** Join again, e.g. after something was installed. */
  retry(): void {
    this.joining.retry();
  }

  /** The document was saved with this text: keep the version in the history. */
  async kept(text: string): Promise<void> {
    if (this.state.get() === 'ready') {
      await this.controller.attempt(() => this.link.request('kept', { path: this.path(), text }));
    }
  }

  dispose(): void {
    this.joining.follow(null);
    this.ends.forEach(end => end());
    this.controller.link.set(null);
    this.sync.dispose();
    this.joining.leave();
    this.link.dispose();
  }

  private left(why: Absent): void {
    this.link.expectBack(why === 'starting');
    this.obstacle.set(null);
    this.state.set(why);
    if (why === 'none') {
      this.controller.link.set(null);
      this.controller.catalog.set(this.builtin);
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

  /** What keeps the kernel from running flows, for people. */
  private obstacleOf(unfit: Unfit): Obstacle {
    const { trans } = this.controller.services;
    switch (unfit.kind) {
      case 'language':
        return {
          message: trans('This kernel speaks {language}. Choose a Python kernel to run the flow.', {
            language: unfit.language
          }),
          command: ''
        };
      case 'missing':
        return {
          message: trans(
            'This kernel has no iaiflow-lab, so that the flow can be edited but not run. Install it, then restart the kernel:'
          ),
          command: unfit.command
        };
      case 'version':
        return {
          message: trans(
            'This kernel has iaiflow-lab {found} and the canvas is {needed}, so that the flow can be edited but not run. Install the same version, then restart the kernel:',
            { found: unfit.found, needed: RELEASE }
          ),
          command: unfit.command
        };
      case 'broken':
        return {
          message: trans('iaiflow-lab cannot be used in this kernel: {error}', {
            error: unfit.error
          }),
          command: ''
        };
    }
  }
}
