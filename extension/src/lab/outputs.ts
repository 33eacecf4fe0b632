/** MIME bundles on the canvas, through JupyterLab's renderers and never as raw HTML. */
import type { IRenderMime } from '@jupyterlab/rendermime';
import type { PartialJSONObject } from '@lumino/coreutils';
import { Widget } from '@lumino/widgets';
import type { Trans } from '../core/i18n';
import type { Bundle } from '../core/protocol';
import type { Mounted, OutputProps } from '../core/services';
import { wellFormed } from '../core/text';
import { mountFrame, type FrameProps } from '../plain/frame';
import type { Host, Place } from './place';
import { OutputSanitizer } from './sanitizer';

const SVG = 'image/svg+xml';
const HTML = 'text/html';
const PDF = 'application/pdf';
/** What may be shown without trust: these renderers run nothing and, sanitized, fetch nothing. */
const HARMLESS: ReadonlySet<string> = new Set([
  HTML,
  SVG,
  'text/markdown',
  'text/latex',
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/bmp',
  'application/json',
  'application/vnd.jupyter.stdout',
  'application/vnd.jupyter.stderr',
  'application/vnd.jupyter.error',
  'text/plain'
]);

export function mountOutput(
  host: Host,
  place: Place,
  trans: Trans,
  element: HTMLElement,
  props: OutputProps
): Mounted<OutputProps> {
  const output = new OutputView(host, place, trans, element);
  output.show(props);
  return { update: next => output.show(next), dispose: () => output.clear() };
}

class OutputView {
  private renderer: Widget | null = null;
  private frame: Mounted<FrameProps> | null = null;
  private shown: OutputProps | null = null;
  private turn = 0;

  constructor(
    private readonly host: Host,
    private readonly place: Place,
    private readonly trans: Trans,
    private readonly element: HTMLElement
  ) {}

  show(props: OutputProps, remote = false): void {
    const same = this.shown?.bundle === props.bundle && this.shown.trusted === props.trusted;
    if (same && !remote) {
      return;
    }
    this.clear();
    this.shown = props;
    this.element.classList.add('iai-RenderedOutput');
    void this.render(props, remote);
  }

  clear(): void {
    this.turn += 1;
    this.shown = null;
    if (this.renderer) {
      detach(this.renderer);
      this.renderer = null;
    }
    this.frame?.dispose();
    this.frame = null;
    this.element.replaceChildren();
  }

  private async render({ bundle, trusted }: OutputProps, remote: boolean): Promise<void> {
    const turn = this.turn;
    const data = bundle.data as PartialJSONObject;
    const mime = this.preferred(bundle, trusted);
    if (mime === SVG) {
      this.element.append(picture(source(data[SVG]), this.trans('Picture')));
    } else if (mime === PDF) {
      this.element.append(download(source(data[PDF]), this.trans('Download the PDF')));
    } else if (mime === HTML && !trusted) {
      const label = this.trans('HTML output');
      this.frame = mountFrame(this.element, {
        html: source(data[HTML]),
        interactive: false,
        label
      });
    } else if (mime) {
      const blocked = await this.rendered(mime, bundle, trusted, remote, turn);
      if (blocked && turn === this.turn) {
        this.offerRemote({ bundle, trusted });
      }
    } else {
      this.element.append(note(source(data['text/plain']) || this.trans('Nothing to show.')));
    }
  }

  private preferred(bundle: Bundle, trusted: boolean): string | undefined {
    const known = Object.keys(bundle.data).filter(mime => trusted || HARMLESS.has(mime));
    const rich = [HTML, SVG].find(mime => known.includes(mime));
    if (rich && !trusted) {
      return rich;
    }
    const data = Object.fromEntries(known.map(mime => [mime, bundle.data[mime]]));
    return (
      this.registry(() => undefined).preferredMimeType(data, trusted ? 'any' : 'ensure') ??
      (PDF in bundle.data ? PDF : undefined)
    );
  }

  /** Show by JupyterLab's renderer; true when something remote was left out. */
  private async rendered(
    mime: string,
    bundle: Bundle,
    trusted: boolean,
    remote: boolean,
    turn: number
  ): Promise<boolean> {
    let blocked = false;
    const registry = this.registry(() => (blocked = true), remote);
    const renderer = registry.createRenderer(mime);
    const model = registry.createModel({
      data: bundle.data as PartialJSONObject,
      metadata: (bundle.metadata ?? {}) as PartialJSONObject,
      trusted
    });
    this.renderer = renderer;
    Widget.attach(renderer, this.element);
    try {
      await renderer.renderModel(model as IRenderMime.IMimeModel);
    } catch (error) {
      if (turn === this.turn) {
        this.element.append(note(error instanceof Error ? error.message : String(error)));
      }
    }
    return blocked;
  }

  private registry(blocked: () => void, remote = false) {
    const base = this.place.notebook?.content.rendermime ?? this.host.rendermime;
    return base.clone({
      sanitizer: new OutputSanitizer(remote, blocked),
      ...(this.place.resolver ? { resolver: this.place.resolver } : {})
    });
  }

  private offerRemote(props: OutputProps): void {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'iai-RemoteButton jp-mod-styled';
    button.textContent = this.trans('Load remote content');
    button.addEventListener('click', () => this.show(props, true));
    this.element.append(button);
  }
}

/** Dispose of a widget, also when the host has removed its element from the page already. */
export function detach(widget: Widget): void {
  if (widget.isAttached && !widget.node.isConnected) {
    widget.clearFlag(Widget.Flag.IsAttached);
  }
  widget.dispose();
}

function source(value: unknown): string {
  return Array.isArray(value) ? value.join('') : typeof value === 'string' ? value : '';
}

/** An SVG as an image: it runs nothing and fetches nothing. */
export function picture(svg: string, label: string): HTMLImageElement {
  const image = document.createElement('img');
  image.alt = label;
  image.className = 'iai-Picture';
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(wellFormed(svg))}`;
  return image;
}

function download(base64: string, label: string): HTMLAnchorElement {
  const link = document.createElement('a');
  link.href = `data:application/pdf;base64,${base64.replace(/\s/g, '')}`;
  link.download = 'output.pdf';
  link.textContent = label;
  return link;
}

function note(text: string): HTMLPreElement {
  const shown = document.createElement('pre');
  shown.textContent = text;
  return shown;
}
