/** What the canvas needs, for hosts that offer nothing: VS Code, Colab, marimo, a plain page. */
import { translator } from '../core/i18n';
import type { Mounted, Services } from '../core/services';
import { copyText, pasteText } from './clipboard';
import { mountEditor } from './editor';
import { mountForm } from './form';
import { showMarkdown } from './markdown';
import { mountOutput } from './output';
import { toast } from './toast';

export interface PlainOptions {
  /** Where messages appear. */
  readonly place: HTMLElement;
  /** BCP 47; default: the page's or the browser's. */
  readonly language?: string;
  /** Shows a widget of the notebook, where the host has a widget manager. */
  readonly mountWidget?: (element: HTMLElement, id: string) => Promise<Mounted<void> | null>;
}

export function plainServices(options: PlainOptions): Services {
  const language = options.language ?? (document.documentElement.lang || navigator.language);
  const trans = translator(language);
  return {
    kind: 'plain',
    language,
    trans,
    mountForm: (element, props) => mountForm(element, props, trans),
    mountEditor,
    mountOutput: (element, props) => mountOutput(element, props, trans),
    showMarkdown,
    mountWidget: options.mountWidget ?? (() => Promise.resolve(null)),
    insertCell: () => false,
    replaceCell: () => false,
    openFile: null,
    openWorkspaceFile: null,
    openText: null,
    openChat: null,
    notify: (message, kind) => toast(options.place, message, kind, trans),
    copy: copyText,
    paste: () => pasteText(trans)
  };
}
