/**
 * What may be shown from outputs that nobody vouches for. JupyterLab's sanitizer removes scripts; this
 * one also removes command links and everything that would fetch from elsewhere.
 */
import { Sanitizer } from '@jupyterlab/apputils';
import type { IRenderMime } from '@jupyterlab/rendermime';

/** Attributes that make the browser fetch. */
const FETCHING = ['src', 'srcset', 'poster', 'background', 'data', 'lowsrc', 'dynsrc'];
const LOCAL = /^\s*(data:image\/|blob:|attachment:)/i;

export class OutputSanitizer implements IRenderMime.ISanitizer {
  readonly allowCommandLinker = false;
  readonly allowNamedProperties = false;
  private readonly base = new Sanitizer();

  /** `blocked` is called when something remote was left out. */
  constructor(
    private readonly remote: boolean,
    private readonly blocked: () => void
  ) {
    this.base.setAllowCommandLinker(false);
    this.base.setAllowNamedProperties(false);
  }

  getAutolink(): boolean {
    return this.base.getAutolink();
  }

  sanitize(dirty: string, options?: IRenderMime.ISanitizerOptions): string {
    const clean = this.base.sanitize(dirty, options);
    return this.remote ? clean : this.local(clean);
  }

  /** The same without what is fetched; the parsed document is inert, so that nothing is fetched here. */
  private local(html: string): string {
    const parsed = new DOMParser().parseFromString(html, 'text/html');
    for (const element of parsed.body.querySelectorAll('*')) {
      this.strip(element);
    }
    return parsed.body.innerHTML;
  }

  private strip(element: Element): void {
    for (const name of FETCHING) {
      const value = element.getAttribute(name);
      if (value !== null && !LOCAL.test(value)) {
        element.removeAttribute(name);
        this.blocked();
      }
    }
    const style = element.getAttribute('style');
    // A backslash may spell `url` in another way.
    if (style && /url\s*\(|image-set|image\s*\(|@import|\\/i.test(style)) {
      element.removeAttribute('style');
      this.blocked();
    }
  }
}
