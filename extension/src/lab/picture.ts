/**
 * A canvas, a memory or a chat in a notebook's output: what was saved at once (a picture, or text), and
 * the live one in its place as soon as the kernel has it. Without a kernel what was saved stays.
 */
import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { MimeModel } from '@jupyterlab/rendermime';
import { PanelLayout, Widget } from '@lumino/widgets';
import { beforePaint } from '../core/frames';
import type { Trans } from '../core/i18n';
import { notebookOf, type Host } from './place';
import { CHAT_MIME, MEMORY_MIME, PICTURE_MIME, WIDGET_MIME } from './names';
import { picture } from './outputs';
import { showWidget } from './widgetView';

interface Shown {
  readonly model_id?: string;
  readonly path?: string;
  readonly name?: string;
}

/** Milliseconds after which the picture says that it is one. */
const PATIENCE = 2_000;

export class CanvasPicture extends Widget implements IRenderMime.IRenderer {
  private turn = 0;
  /** The live canvas that is shown. */
  private live: string | null = null;

  constructor(
    private readonly host: Host,
    private readonly trans: Trans
  ) {
    super();
    this.addClass('iai-SavedCanvas');
    this.layout = new PanelLayout();
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const type = [CHAT_MIME, MEMORY_MIME].find(name => name in model.data) ?? PICTURE_MIME;
    const shown = (model.data[type] ?? {}) as Shown;
    if (shown.model_id !== undefined && shown.model_id === this.live) {
      return; // a newer picture of what is alive: its focus and its selection stay
    }
    const turn = (this.turn += 1);
    this.live = null;
    const still =
      type === PICTURE_MIME
        ? this.still(shown, textOf(model.data['image/svg+xml']))
        : plain(textOf(model.data['text/plain']));
    this.panels.widgets.slice().forEach(widget => widget.dispose());
    this.panels.addWidget(still);
    setTimeout(() => still.isDisposed || still.node.append(this.note(type)), PATIENCE);
    if (shown.model_id) {
      void this.replace(still, shown.model_id, () => turn === this.turn);
    }
  }

  private get panels(): PanelLayout {
    return this.layout as PanelLayout;
  }

  private still({ name = '' }: Shown, svg: string): Widget {
    const still = new Widget();
    if (svg) {
      still.node.append(picture(svg, this.trans('Flow {name}', { name })));
    }
    return still;
  }

  private note(type: string): HTMLElement {
    const notes: Readonly<Record<string, string>> = {
      [CHAT_MIME]: this.trans('What was said, as it was saved. Run the cell to go on.'),
      [MEMORY_MIME]: this.trans('Counts as they were saved. Run the cell to look into the memory.'),
      [PICTURE_MIME]: this.trans('A saved picture. Run the cell to open the canvas.')
    };
    const note = document.createElement('div');
    note.className = 'iai-SavedCanvas-note';
    note.textContent = notes[type] ?? '';
    return note;
  }

  /** Put the live canvas in the picture's place, once the kernel has it. */
  private async replace(still: Widget, id: string, current: () => boolean): Promise<void> {
    await attached(this);
    if (this.isDisposed || !current()) {
      return;
    }
    const registry = await this.registry();
    if (!registry || this.isDisposed || !current()) {
      return;
    }
    const renderer = registry.createRenderer(WIDGET_MIME);
    renderer.hide();
    this.panels.addWidget(renderer);
    const data = { [WIDGET_MIME]: { model_id: id, version_major: 2, version_minor: 0 } };
    void showWidget(renderer, new MimeModel({ data, trusted: true }));
    await appeared(renderer);
    if (!renderer.isDisposed) {
      still.dispose();
      renderer.show();
      this.live = id;
    }
  }

  /** The notebook's registry once it has a widget manager; null: it gets none without a kernel. */
  private async registry(): Promise<IRenderMimeRegistry | null> {
    const panel = notebookOf(this.host, this.node);
    if (!panel) {
      return null;
    }
    await panel.sessionContext.ready;
    // The manager, too, waits for the session; it comes in the same turn of the event loop.
    await new Promise(resolve => setTimeout(resolve));
    const { rendermime } = panel.content;
    const factory = rendermime.getFactory(WIDGET_MIME);
    return factory && factory !== this.host.rendermime.getFactory(WIDGET_MIME) ? rendermime : null;
  }
}

function textOf(data: unknown): string {
  return Array.isArray(data) ? data.join('') : typeof data === 'string' ? data : '';
}

function plain(text: string): Widget {
  const still = new Widget();
  const shown = document.createElement('pre');
  shown.textContent = text;
  still.node.append(shown);
  return still;
}

/** Wait until a widget is in the page, where its notebook can be found. */
async function attached(widget: Widget): Promise<void> {
  while (!widget.isAttached && !widget.isDisposed) {
    await new Promise<void>(beforePaint);
  }
}

/** Wait until a renderer shows its widget, or is disposed. */
function appeared(renderer: Widget): Promise<void> {
  return new Promise(resolve => {
    const look = (): void => {
      if (renderer.isDisposed || renderer.node.querySelector('.lm-Widget')) {
        observer.disconnect();
        resolve();
      }
    };
    const observer = new MutationObserver(look);
    observer.observe(renderer.node, { childList: true, subtree: true });
    renderer.disposed.connect(look);
    look();
  });
}

/** The renderer for canvases, memories and chats; it comes before the widget's own, whose bundle holds both. */
export function pictureFactory(host: Host, trans: Trans): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [PICTURE_MIME, MEMORY_MIME, CHAT_MIME],
    createRenderer: () => new CanvasPicture(host, trans)
  };
}
/** Smaller comes first; widget views have -10. */
export const PICTURE_RANK = -20;
