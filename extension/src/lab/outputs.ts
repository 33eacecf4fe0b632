/** MIME bundles on the canvas, through JupyterLab's renderers and never as raw HTML. */
import type { IRenderMime } from '@jupyterlab/rendermime';
import type { PartialJSONObject } from '@lumino/coreutils';
import { Widget } from '@lumino/widgets';
import type { Trans } from '../core/i18n';
import type { Bundle } from '../core/protocol';
import type { Mounted, OutputProps } from '../core/services';
import { WIDGET_MIME } from './names';
import type { Host, Place } from './place';
import { OutputSanitizer } from './sanitizer';

const SVG = 'image/svg+xml';
const HTML = 'text/html';
const PDF = 'application/pdf';
/** What an isolated frame may do: nothing beyond itself. */
const POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
/** Types that are dangerous without trust and have no isolated form. */
const NEVER = new Set(['application/javascript', 'text/javascript', WIDGET_MIME]);

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
      this.element.append(frame(source(data[HTML]), this.trans('Output')));
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
    const data: PartialJSONObject = {};
    for (const [mime, value] of Object.entries(bundle.data)) {
      if (trusted || !NEVER.has(mime)) {
        data[mime] = value as PartialJSONObject;
      }
    }
    for (const mime of [SVG, HTML]) {
      // A frame and a picture are safe; a renderer of the kernel's own kind comes first all the same.
      if (mime in data && !trusted) {
        return mime;
      }
    }
    return (
      this.registry(() => undefined).preferredMimeType(data, trusted ? 'any' : 'ensure') ??
      (PDF in data ? PDF : undefined)
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

/** Detach a widget, also when the host has removed its element from the page already. */
export function detach(widget: Widget): void {
  if (widget.isAttached && widget.node.isConnected) {
    Widget.detach(widget);
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
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  return image;
}

function download(base64: string, label: string): HTMLAnchorElement {
  const link = document.createElement('a');
  link.href = `data:application/pdf;base64,${base64.replace(/\s/g, '')}`;
  link.download = 'output.pdf';
  link.textContent = label;
  return link;
}

function frame(html: string, label: string): HTMLIFrameElement {
  const isolated = document.createElement('iframe');
  isolated.className = 'iai-IsolatedFrame';
  isolated.title = label;
  isolated.setAttribute('sandbox', 'allow-scripts');
  isolated.referrerPolicy = 'no-referrer';
  isolated.srcdoc = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><base target="_blank">${html}`;
  return isolated;
}

function note(text: string): HTMLPreElement {
  const shown = document.createElement('pre');
  shown.textContent = text;
  return shown;
}
