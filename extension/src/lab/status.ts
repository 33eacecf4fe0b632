/** The status bar's line about the flow in front: its run, its kernel and its problems. */
import { Widget } from '@lumino/widgets';
import { Signal } from '@lumino/signaling';
import { stateText } from '../canvas/chrome/words';
import type { Controller } from '../core/controller';
import type { Trans } from '../core/i18n';
import type { FlowPanel } from './panel';

export class FlowStatus extends Widget {
  /** Whether there is something to show. */
  readonly activity = new Signal<this, void>(this);
  private panel: FlowPanel | null = null;
  private ends: (() => void)[] = [];

  constructor(private readonly trans: Trans) {
    super();
    this.addClass('iai-Status');
    this.node.setAttribute('role', 'status');
  }

  get active(): boolean {
    return this.panel !== null;
  }

  follow(panel: FlowPanel | null): void {
    if (panel !== this.panel) {
      this.panel = panel;
      this.watch();
      this.activity.emit();
    }
  }

  override dispose(): void {
    this.ends.forEach(end => end());
    super.dispose();
  }

  /** Watch everything that is shown; stores that come later are watched when they come. */
  private watch(): void {
    this.ends.forEach(end => end());
    this.ends = [];
    const { panel } = this;
    if (!panel) {
      return;
    }
    const again = (): void => this.watch();
    const write = (): void => this.write();
    this.ends.push(panel.controller.subscribe(again), panel.binding.subscribe(again));
    const controller = panel.controller.get();
    const binding = panel.binding.get();
    if (controller && binding) {
      this.ends.push(
        controller.problems.subscribe(write),
        controller.document.state.subscribe(write),
        controller.link.subscribe(again),
        binding.state.subscribe(write)
      );
      const run = controller.link.get()?.runs.run;
      this.ends.push(run?.subscribe(write) ?? (() => undefined));
    }
    this.write();
  }

  private write(): void {
    const controller = this.panel?.controller.get();
    this.node.textContent = controller
      ? [this.kernel(), this.run(controller), this.problems(controller)].filter(Boolean).join(' · ')
      : '';
  }

  private kernel(): string {
    switch (this.panel?.binding.get()?.state.get()) {
      case 'ready':
        return this.trans('Kernel ready');
      case 'starting':
        return this.trans('Kernel is starting');
      case 'lost':
        return this.trans('Kernel is gone');
      case 'unsuitable':
        return this.trans('Kernel cannot run flows');
      default:
        return this.trans('No kernel');
    }
  }

  private run(controller: Controller): string {
    const state = controller.link.get()?.runs.run.get().state;
    return state ? this.trans('Run: {state}', { state: stateText(this.trans, state) }) : '';
  }

  private problems(controller: Controller): string {
    if (controller.document.state.get().fault) {
      return this.trans('The file cannot be read');
    }
    const count = controller.problems.get().length;
    if (count === 0) {
      return this.trans('No problems');
    }
    return count === 1 ? this.trans('1 problem') : this.trans('{count} problems', { count });
  }
}
