/** A flow as a document: the canvas, its kernel, and a banner for what the person should know. */
import { DocumentWidget, ABCWidgetFactory, type DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import type { IStateDB } from '@jupyterlab/statedb';
import { PromiseDelegate } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { Controller, type Panel } from '../core/controller';
import { Store } from '../core/store';
import { Banner } from './banner';
import { flowIcon } from './icon';
import { KernelBinding } from './kernel';
import type { FlowModel } from './model';
import type { Host, Place } from './place';
import { labTranslator } from './translation';
import { keepView } from './view';
import { widgetsOf } from './widgets';

type Context = DocumentRegistry.IContext<FlowModel>;

/** Width in pixels from which the inspector stands beside the palette at first. */
const ROOMY = 900;

/** The canvas of one document. */
export class FlowPanel extends Widget {
  /** Null until the document is read and the canvas is loaded. */
  readonly controller = new Store<Controller | null>(null);
  readonly binding = new Store<KernelBinding | null>(null);
  readonly ready = new PromiseDelegate<void>();
  private readonly banner: Banner;
  private readonly stage = document.createElement('div');
  private readonly ends: (() => void)[] = [];

  constructor(
    private readonly host: Host,
    readonly context: Context,
    private readonly states: IStateDB | null
  ) {
    super();
    this.addClass('iai-Document');
    this.node.tabIndex = -1;
    this.stage.className = 'iai-Document-stage';
    this.banner = new Banner(labTranslator(host.translator));
    this.node.append(this.banner.node, this.stage);
    void this.open();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.ends.reverse().forEach(end => end());
      super.dispose();
    }
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    const surface = this.controller.get()?.surface;
    if (!this.node.contains(document.activeElement)) {
      this.node.focus();
      surface?.focus();
    }
  }

  private async open(): Promise<void> {
    const [canvas] = await Promise.all([import('./canvas'), this.context.ready]);
    if (this.isDisposed) {
      return;
    }
    const { model } = this.context;
    model.readOnly = this.context.contentsModel?.writable === false;
    const place = this.place();
    const services = canvas.labServices(this.host, place);
    const builtin = canvas.builtin(services.trans);
    const controller = new Controller({
      document: model.document,
      services,
      builtin,
      mode: 'document',
      panels: this.panels()
    });
    controller.elk = canvas.loadElk;
    const endView = await keepView(this.states, this.context, controller);
    if (this.isDisposed) {
      endView();
      return;
    }
    this.ends.push(endView);
    controller.focusSoon = document.activeElement === this.node;
    const shown = canvas.mountCanvas(this.stage, controller, { compact: false });
    const binding = new KernelBinding(
      controller,
      this.context.sessionContext,
      () => this.context.localPath,
      builtin
    );
    this.ends.push(
      () => shown.dispose(),
      () => binding.dispose()
    );
    this.follow(binding);
    this.controller.set(controller);
    this.binding.set(binding);
    this.ready.resolve();
  }

  /** What stands beside the flow at first: an empty one needs nodes, another all the room. */
  private panels(): Panel[] {
    const { nodes } = this.context.model.document.flow.get();
    if (Object.keys(nodes).length > 0) {
      return [];
    }
    return this.node.clientWidth < ROOMY ? ['palette'] : ['palette', 'inspector'];
  }

  private place(): Place {
    return {
      notebook: null,
      resolver: this.context.urlResolver,
      path: () => this.context.path,
      kernel: () => this.context.sessionContext.session?.kernel ?? null
    };
  }

  private follow(binding: KernelBinding): void {
    const state = (): void => {
      this.banner.show(binding.obstacle.get(), () => binding.retry());
      if (binding.state.get() === 'ready') {
        void widgetsOf(this.host.rendermime, binding.kernel);
      }
    };
    let text = '';
    const saved = (_: Context, what: DocumentRegistry.SaveState): void => {
      if (what === 'started') {
        text = this.context.model.document.text(); // there may be further edits when it is written
      } else if (what === 'completed') {
        void binding.kept(text);
      }
    };
    this.ends.push(binding.obstacle.subscribe(state), binding.state.subscribe(state));
    this.context.saveState.connect(saved);
    const { fileChanged } = this.host.app.serviceManager.contents;
    fileChanged.connect(this.rewritten, this);
    this.ends.push(
      () => this.context.saveState.disconnect(saved),
      () => fileChanged.disconnect(this.rewritten, this)
    );
    state();
  }

  /** A text that could not be read was saved by an editor: read it again. */
  private rewritten(_: unknown, { type, newValue }: Contents.IChangedArgs): void {
    const { model, path } = this.context;
    if (type === 'save' && newValue?.path === path && model.document.state.get().fault) {
      void this.context.revert();
    }
  }
}

export class FlowWidget extends DocumentWidget<FlowPanel, FlowModel> {}

export class FlowWidgetFactory extends ABCWidgetFactory<FlowWidget, FlowModel> {
  constructor(
    private readonly host: Host,
    private readonly states: IStateDB | null,
    options: DocumentRegistry.IWidgetFactoryOptions<FlowWidget>
  ) {
    super(options);
  }

  protected createNewWidget(context: Context): FlowWidget {
    const content = new FlowPanel(this.host, context, this.states);
    const widget = new FlowWidget({ content, context, translator: this.translator });
    widget.addClass('iai-FlowWidget');
    widget.title.icon = flowIcon;
    return widget;
  }
}
