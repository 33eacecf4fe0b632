import fc from 'fast-check';
import { Lexer } from 'marked';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Json } from '../../src/core/flow';
import type { FormProps } from '../../src/core/services';
import { plainServices } from '../../src/plain';
import { framePage } from '../../src/plain/frame';
import { linkAddress, pictureAddress } from '../../src/plain/html';
import { showMarkdown } from '../../src/plain/markdown';
import { hostile } from '../hostile';

const CORPUS = hostile('http://canary.invalid');
const ALLOWED = new Set([
  'A',
  'BLOCKQUOTE',
  'BR',
  'CODE',
  'DEL',
  'DIV',
  'EM',
  'H1',
  'H2',
  'H3',
  'H4',
  'H5',
  'H6',
  'HR',
  'IMG',
  'LI',
  'OL',
  'P',
  'PRE',
  'SPAN',
  'STRONG',
  'TABLE',
  'TBODY',
  'TD',
  'TH',
  'THEAD',
  'TR',
  'UL'
]);

afterEach(() => document.body.replaceChildren());

function host(): HTMLElement {
  const element = document.createElement('div');
  document.body.append(element);
  return element;
}

describe('addresses', () => {
  it.each([
    'javascript:alert(1)',
    'java\tscript:alert(1)',
    ' javascript:x',
    'data:text/html,x',
    'vbscript:x',
    '//x',
    'file:///etc/passwd',
    ''
  ])('refuses %j', address => {
    expect(linkAddress(address)).toBeNull();
    expect(pictureAddress(address)).toBeNull();
  });

  it('keeps those of the web and of pictures that hold themselves', () => {
    expect(linkAddress(' https://example.org/a?b ')).toBe('https://example.org/a?b');
    expect(linkAddress('mailto:a@example.org')).toBe('mailto:a@example.org');
    expect(pictureAddress('data:image/png;base64,AA==')).toBe('data:image/png;base64,AA==');
    expect(pictureAddress('https://example.org/a.png')).toBeNull();
  });
});

describe('Markdown', () => {
  it('becomes elements that show, whatever it says', () => {
    for (const { name, text } of CORPUS) {
      const element = host();
      showMarkdown(element, text);
      for (const made of element.querySelectorAll('*')) {
        expect(ALLOWED.has(made.tagName), `${name}: ${made.tagName}`).toBe(true);
        for (const attribute of made.getAttributeNames()) {
          expect(['href', 'target', 'rel', 'src', 'alt', 'title', 'start', 'tabindex']).toContain(
            attribute
          );
        }
        expect(made.getAttribute('src') ?? 'data:image/').toMatch(/^data:image\//);
        expect(made.getAttribute('href') ?? 'https:').toMatch(/^(https?|mailto):/);
      }
      element.remove();
    }
  });

  it('shows what people write', () => {
    const element = host();
    showMarkdown(
      element,
      '# Title\n\nA **bold** & `code` <b>x</b> [link](https://example.org).\n\n1. one\n2. [x] two\n\n|a|b|\n|-|-|\n|1|2|\n'
    );
    expect(element.querySelector('h1')?.textContent).toBe('Title');
    expect(element.querySelector('p')?.textContent).toBe('A bold & code <b>x</b> link.');
    expect(element.querySelector('a')?.rel).toContain('noopener');
    expect(element.querySelectorAll('li')).toHaveLength(2);
    expect(element.querySelectorAll('td')).toHaveLength(2);
  });

  it('shows a text that grew as it shows it at once', () => {
    const pieces = [
      'a **b** `c`',
      '\n',
      '\n\n',
      '- x\n',
      '  y',
      '1. z\n',
      '# T\n',
      '===\n',
      '|a|b|\n|-|-|\n',
      '|1|2|\n',
      '```\n',
      '> q\n',
      '    four\n',
      '<!-- ',
      '-->',
      '<div>\n',
      '[r]',
      '\n\n[r]: https://example.org\n',
      '\r\n'
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 24 }), said => {
        const [grown, whole] = [host(), host()];
        said.forEach((_, at) => showMarkdown(grown, said.slice(0, at + 1).join('')));
        showMarkdown(whole, said.join(''));
        expect(grown.innerHTML).toBe(whole.innerHTML);
        grown.remove();
        whole.remove();
      })
    );
  });

  it.each([
    ['pre', '```\none\n', 'two\n', 'two'],
    ['table', '|a|\n|-|\n|1|\n', '|2|\n', '2']
  ])('leaves the focus on a %s that grows', (name, begun, more, shown) => {
    const element = host();
    showMarkdown(element, begun);
    const scrolled = element.querySelector<HTMLElement>(name);
    scrolled?.focus();
    showMarkdown(element, begun + more);
    expect(scrolled?.textContent).toContain(shown);
    expect(document.activeElement).toBe(scrolled);
  });

  it('shows a text that grew too long for Markdown once', () => {
    const element = host();
    const text = 'A *block*.\n\n'.repeat(20_000);
    showMarkdown(element, text.slice(0, 1_200));
    showMarkdown(element, text);
    expect(element.textContent).toBe(text);
  });

  it('reads of a long text that grows the end alone', () => {
    const element = host();
    const text = 'A *block*.\n\n'.repeat(500);
    showMarkdown(element, text);
    const lex = vi.spyOn(Lexer.prototype, 'lex');
    showMarkdown(element, `${text}More.`);
    expect(lex.mock.lastCall?.[0].length).toBeLessThan(100);
    expect(element.querySelectorAll('p')).toHaveLength(501);
    lex.mockRestore();
  });
});

describe('the page of HTML outputs', () => {
  it('forbids everything that loads, in both frames', () => {
    const page = framePage('<p>x</p>', false, '');
    const inner = page.slice(page.indexOf('srcdoc'));
    for (const part of [page.slice(0, page.indexOf('srcdoc')), inner]) {
      expect(part).toContain("default-src 'none'");
      expect(part).toContain("frame-src 'none'");
    }
    expect(page).not.toContain('allow-same-origin');
    expect(framePage('', false, '')).not.toBe(framePage('', false, ''));
  });

  it('runs no script of HTML that is not trusted', () => {
    // The DOM of these tests says that it loads nothing; a browser's parser would not try.
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    for (const { text } of CORPUS) {
      const page = framePage(text, false, '');
      expect(page).not.toContain("'unsafe-inline'; style");
      expect(page.match(/<script|&lt;script/gi)).toHaveLength(1);
    }
  });
});

describe('outputs', () => {
  const services = () => plainServices({ place: host(), language: 'en' });

  it('show an SVG as a picture only', () => {
    const element = host();
    const svg = '<svg onload="alert(1)"/>';
    services().mountOutput(element, { bundle: { data: { 'image/svg+xml': svg } }, trusted: true });
    expect(element.children).toHaveLength(1);
    expect(element.querySelector('img')?.src).toContain('data:image/svg+xml');
    expect(element.innerHTML).not.toContain('<svg');
  });

  it('show the richest form that is known, then another, then nothing', () => {
    const element = host();
    const data: Record<string, Json> = { 'text/plain': 'plain', 'application/json': { a: 1 } };
    const shown = services().mountOutput(element, { bundle: { data }, trusted: false });
    expect(element.textContent).toContain('"a": 1');
    shown.update({ bundle: { data: { 'x/y': '<b>' } }, trusted: false });
    expect(element.textContent).toBe('This page cannot show x/y.');
    shown.dispose();
    expect(element.childNodes).toHaveLength(0);
  });

  it('show hostile texts of every type as nothing that acts', () => {
    const types = [
      'text/markdown',
      'image/svg+xml',
      'image/png',
      'text/latex',
      'text/plain',
      'application/json'
    ];
    for (const type of types) {
      for (const { text } of CORPUS) {
        const element = host();
        services().mountOutput(element, { bundle: { data: { [type]: text } }, trusted: true });
        expect(element.querySelector('script, svg, iframe, object, link, meta, form')).toBeNull();
        document.body.replaceChildren();
      }
    }
  });
});

describe('the form', () => {
  const schema = {
    properties: {
      text: { type: 'string', description: 'What it says.' },
      limit: { anyOf: [{ type: 'integer' }, { type: 'null' }], default: 3 },
      trim: { type: 'boolean', default: true },
      kind: { enum: ['a', 'b'] },
      key: { type: 'string', 'x-widget': 'secret' },
      data: { type: 'object' }
    }
  };

  function form(change: Partial<FormProps> = {}) {
    const onChange = vi.fn();
    const element = host();
    const props: FormProps = {
      schema,
      value: {},
      wired: {},
      readOnly: false,
      problems: [],
      secrets: ['MAIL'],
      names: [],
      onChange,
      ...change
    };
    const mounted = plainServices({ place: host(), language: 'en' }).mountForm(element, props);
    const field = (name: string): HTMLInputElement => {
      const labels = [...element.querySelectorAll('label')];
      const label = labels.find(one => one.textContent === name) as HTMLLabelElement;
      return document.getElementById(label.htmlFor) as HTMLInputElement;
    };
    const write = (name: string, value: string): void => {
      field(name).value = value;
      field(name).dispatchEvent(new Event('input'));
    };
    return { element, mounted, props, field, write, onChange };
  }

  it('gives values of the right kinds, and none when it is emptied', () => {
    const { write, onChange } = form();
    write('text', 'x');
    write('limit', '5');
    write('trim', '1');
    write('kind', '1');
    write('key', 'secret:MAIL');
    write('data', '{"a": [1]}');
    write('text', '');
    expect(onChange.mock.calls).toEqual([
      ['text', 'x'],
      ['limit', 5],
      ['trim', false],
      ['kind', 'b'],
      ['key', 'secret:MAIL'],
      ['data', { a: [1] }],
      ['text', undefined]
    ]);
  });

  it('offers the names of secrets where the schema says that a secret is meant', () => {
    const { field, element } = form({ secrets: ['MAIL', 'KEY'] });
    const list = document.getElementById(field('key').getAttribute('list') ?? '');
    const names = [...(list?.querySelectorAll('option') ?? [])].map(({ value }) => value);
    expect(names).toEqual(['secret:MAIL', 'secret:KEY']);
    expect(element.querySelectorAll('datalist')).toHaveLength(1);
  });

  it('takes a parameter in place of a value, by its name or from the list', () => {
    const choose = vi.fn();
    const sources = { parameters: { limit: ['most', 'n'], trim: ['yes'] }, choose };
    const { write, onChange, element, mounted, props, field } = form({ sources });
    write('limit', '{{params.mos');
    expect(element.textContent).toContain('Or a parameter: {{params.most}}');
    write('limit', '{{params.most}}');
    const label = 'Where trim comes from';
    const list = element.querySelector(`[aria-label="${label}"]`) as HTMLSelectElement;
    expect([...list.options].map(({ value }) => value)).toEqual(['', 'params.yes']);
    list.value = 'params.yes';
    list.dispatchEvent(new Event('change'));
    mounted.update({ ...props, wired: { trim: 'params.yes' } });
    expect(field('trim').disabled).toBe(true);
    expect(element.textContent).toContain('Comes from params.yes.');
    list.value = '';
    list.dispatchEvent(new Event('change'));
    expect(choose.mock.calls).toEqual([
      ['limit', 'most'],
      ['trim', 'yes'],
      ['trim', null]
    ]);
    expect(onChange).not.toHaveBeenCalled();
  });

  it('says what is wrong and gives nothing', () => {
    const { write, onChange, element, field } = form();
    write('limit', '2.5');
    write('data', '{');
    expect(onChange).not.toHaveBeenCalled();
    expect(element.textContent).toContain('Write a whole number.');
    expect(element.textContent).toContain('Write JSON');
    expect(field('limit').getAttribute('aria-invalid')).toBe('true');
  });

  it('shows values, wires and problems, and keeps what is being written', () => {
    const { mounted, props, field, element } = form({ value: { limit: 7, kind: 'other' } });
    expect(field('limit').value).toBe('7');
    expect((field('kind') as unknown as HTMLSelectElement).selectedOptions[0]?.textContent).toBe(
      'other'
    );
    const before = field('text');
    const problem = {
      code: 'c',
      severity: 'error',
      message: 'No.',
      place: '',
      remedy: 'Do.',
      node: 'n',
      field: 'text'
    } as const;
    mounted.update({
      ...props,
      value: { text: 'y' },
      wired: { text: 'load.out' },
      problems: [problem]
    });
    expect(field('text')).toBe(before);
    expect(before.disabled).toBe(true);
    expect(before.value).toBe('y');
    expect(element.textContent).toContain('No. Do.');
  });

  it('shows hostile names, help and values as text', () => {
    for (const { text } of CORPUS.filter(({ text }) => text.length < 10_000)) {
      const { element } = form({
        schema: {
          properties: {
            [text]: { type: 'string', description: text, default: text },
            e: { enum: [text] }
          }
        },
        value: { [text]: text }
      });
      expect(element.querySelector('script, img, svg, iframe, a')).toBeNull();
      document.body.replaceChildren();
    }
  });
});

it('shows messages as text, not more than a few, with a way to close them', () => {
  const place = host();
  const services = plainServices({ place, language: 'en' });
  for (let number = 0; number < 9; number += 1) {
    services.notify(`<img src=x> ${number}`, 'error');
  }
  expect(place.querySelectorAll('[role=alert]')).toHaveLength(5);
  expect(place.querySelector('img')).toBeNull();
  place.querySelector('button')?.click();
  expect(place.querySelectorAll('[role=alert]')).toHaveLength(4);
});
