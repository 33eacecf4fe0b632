import { describe, expect, it, vi } from 'vitest';
// The package's index brings web components in, which need a browser.
vi.mock('@jupyterlab/apputils', () => vi.importActual('@jupyterlab/apputils/lib/sanitizer'));

import { OutputSanitizer } from '../../src/lab/sanitizer';

const REMOTE = [
  '<img src="http://elsewhere.invalid/a.png">',
  '<img srcset="//elsewhere.invalid/a.png 2x">',
  '<video poster="http://elsewhere.invalid/p.png" src="http://elsewhere.invalid/v"></video>',
  '<div style="background: url(http://elsewhere.invalid/b.png)">x</div>',
  '<div style="background: u\\72l(http://elsewhere.invalid/b.png)">x</div>',
  '<table background="http://elsewhere.invalid/t.png"><tr><td>x</td></tr></table>',
  '<input type="image" src="http://elsewhere.invalid/i.png">',
  '<img src="/api/contents">'
];

describe('untrusted HTML', () => {
  it.each(REMOTE)('fetches nothing: %s', html => {
    const clean = new OutputSanitizer(false, () => undefined).sanitize(html);
    expect(clean).not.toMatch(/elsewhere|\/api\//);
  });

  it('says that something was left out, and shows it when asked', () => {
    const blocked = vi.fn();
    const html = '<img src="http://elsewhere.invalid/a.png">';
    new OutputSanitizer(false, blocked).sanitize(html);
    expect(blocked).toHaveBeenCalled();
    expect(new OutputSanitizer(true, blocked).sanitize(html)).toContain('elsewhere.invalid');
  });

  it('keeps pictures that it holds itself', () => {
    const html = '<img src="data:image/png;base64,AAAA">';
    const blocked = vi.fn();
    expect(new OutputSanitizer(false, blocked).sanitize(html)).toContain('base64,AAAA');
    expect(blocked).not.toHaveBeenCalled();
  });

  it.each([
    '<button data-commandlinker-command="filebrowser:delete">x</button>',
    '<a href="javascript:alert(1)">x</a>',
    '<b onclick="alert(1)">x</b>',
    '<script>alert(1)</script>'
  ])('runs nothing: %s', html => {
    const clean = new OutputSanitizer(false, () => undefined).sanitize(html);
    expect(clean).not.toMatch(/commandlinker|javascript:|onclick|script/);
  });
});
