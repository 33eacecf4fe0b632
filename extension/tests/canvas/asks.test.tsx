import { act, type ReactElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { DraftsKept } from '../../src/canvas/agent/drafts';
import { useAskNews } from '../../src/canvas/chrome/useAskNews';
import { ControllerContext } from '../../src/canvas/hooks';
import { NodeOutput, hasOutput } from '../../src/canvas/outputs';
import { Waiting } from '../../src/canvas/panels/inspector/Waiting';
import { Controller } from '../../src/core/controller';
import { FlowDocument } from '../../src/core/document';
import type { JsonObject } from '../../src/core/flow';
import { KernelLink } from '../../src/core/link';
import { IDLE, VERSION, type NodeState, type Wait } from '../../src/core/protocol';
import { plainServices } from '../../src/plain';
import { PageKernel } from '../../src/testpage/kernel';
import { CATALOG } from '../../src/testpage/types';
import { TRACE, askWait } from '../agents';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let root: Root;
let element: HTMLElement;
let controller: Controller;
let link: KernelLink;
let request: MockInstance<KernelLink['request']>;

beforeEach(() => {
  element = document.body.appendChild(document.createElement('div'));
  root = createRoot(element);
  const services = plainServices({ place: element, language: 'en' });
  const document_ = new FlowDocument();
  controller = new Controller({
    document: document_,
    services,
    builtin: CATALOG,
    mode: 'document'
  });
  link = new KernelLink(new PageKernel(), { trans: services.trans });
  controller.link.set(link);
  request = vi.spyOn(link, 'request').mockImplementation(() => Promise.resolve({} as never));
});

afterEach(() => {
  act(() => root.unmount());
  link.dispose();
  document.body.replaceChildren();
});

const frame = (): Promise<unknown> => new Promise(resolve => requestAnimationFrame(resolve));

const waiting = (...[wait, ...more_waits]: Wait[]): NodeState => ({
  ...IDLE,
  state: 'waiting',
  wait: wait ?? null,
  more_waits
});

function render(shown: ReactElement): void {
  act(() =>
    root.render(<ControllerContext.Provider value={controller}>{shown}</ControllerContext.Provider>)
  );
}

/** Show what the inspector has of a node that waits. */
async function inspect(...waits: Wait[]): Promise<void> {
  render(<Waiting path="analyst" />);
  await act(async () => {
    link.runs.apply({ v: VERSION, seq: 1, events: [['analyst', waiting(...waits)]] });
    await frame();
  });
}

function button(label: string, within: Element = element): HTMLButtonElement {
  const found = [...within.querySelectorAll('button')].find(one => one.textContent === label);
  return found ?? expect.unreachable(`there is no button ${label}`);
}

async function press(label: string, within?: Element): Promise<void> {
  await act(async () => {
    button(label, within).click();
    await frame();
  });
}

async function write(text: string): Promise<void> {
  const field = element.querySelector<HTMLInputElement>('input, textarea');
  await act(async () => {
    const type = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(type.prototype, 'value')?.set?.call(field, text);
    field?.dispatchEvent(new Event('input', { bubbles: true }));
    await frame();
  });
}

/** A question about a call with these arguments. */
function callWait(tool: string, given: JsonObject): Wait {
  const wait = askWait();
  const form = { ...wait.form, 'x-call': { tool }, properties: { arguments: { default: given } } };
  return { ...wait, form };
}

const said = (): string => element.textContent ?? '';

describe('a question of an agent in the inspector', () => {
  it('says what is to be called, and what that may do', async () => {
    await inspect(askWait());
    expect(said()).toContain('May the agent call mail.send?');
    expect(said()).toContain('changes things');
    expect(said()).toContain('may send data out');
    expect(said()).toContain('It sends.');
    expect(said()).toContain('"to": "anna@example.org"');
  });

  it('shows code as code, and what a change takes away and puts in', async () => {
    await inspect(callWait('notebook.insert', { source: 'x = "a"\n# y\rhidden()', type: 'code' }));
    expect(said()).toContain('type: "code"');
    expect(said()).toContain('x = "a"\n# y<U+000D>hidden()');
    await inspect(
      callWait('notebook.edit', { cell: 'one', expected: 'a\nb\nc', source: 'a\nB\nc' })
    );
    const kinds = [...element.querySelectorAll('[class^=iai-line-]')].map(line => [
      line.className.replace('iai-line-', ''),
      line.textContent
    ]);
    expect(kinds).toEqual([
      ['same', '  a\n'],
      ['removed', '- b\n'],
      ['added', '+ B\n'],
      ['same', '  c\n']
    ]);
  });

  it('is answered by its key, once', async () => {
    await inspect(askWait());
    await press('Allow');
    expect(request).toHaveBeenCalledExactlyOnceWith('answer', {
      step: 'analyst#ask:c1',
      outcome: 'approved',
      value: { decision: 'allow' },
      reason: ''
    });
    expect(button('Allow').disabled).toBe(true);
  });

  it('can be answered again when the answer did not arrive', async () => {
    request.mockImplementation(() => Promise.reject(new Error('The kernel is busy.')));
    await inspect(askWait());
    await press('Allow');
    expect(button('Allow').disabled).toBe(false);
  });

  it('is refused with a reason', async () => {
    await inspect(askWait());
    await press('Refuse…');
    expect(document.activeElement?.localName).toBe('input');
    await write('Not today.');
    await act(async () => {
      element.querySelector('form')?.requestSubmit();
      await frame();
    });
    expect(request).toHaveBeenCalledExactlyOnceWith('answer', {
      step: 'analyst#ask:c1',
      outcome: 'refused',
      value: null,
      reason: 'Not today.'
    });
  });

  it('is left as it was when one thinks better of it', async () => {
    await inspect(askWait());
    await press('Refuse…');
    await press('Cancel');
    expect(button('Allow').disabled).toBe(false);
    expect(request).not.toHaveBeenCalled();
  });

  it('is allowed with other arguments, if they are an object', async () => {
    await inspect(askWait());
    await press('Change…');
    expect(element.querySelector('textarea')?.value).toContain('"text": "Hi"');
    await write('[1]');
    await press('Allow with these arguments');
    expect(element.querySelector('[role=alert]')?.textContent).toContain('JSON object');
    expect(request).not.toHaveBeenCalled();
    await write('{"to": "b@example.org"}');
    await press('Allow with these arguments');
    expect(request).toHaveBeenCalledExactlyOnceWith('answer', {
      step: 'analyst#ask:c1',
      outcome: 'approved',
      value: { decision: 'change', arguments: { to: 'b@example.org' } },
      reason: ''
    });
  });

  it('keeps what is half-written while it is closed, for its run alone', async () => {
    const show = async (run_id: string, isOpen: boolean): Promise<void> => {
      render(<DraftsKept>{isOpen && <Waiting path="analyst" />}</DraftsKept>);
      await act(async () => {
        const events: [string, object][] = [
          ['', { run_id }],
          ['analyst', waiting(askWait())]
        ];
        link.runs.apply({ v: VERSION, seq: 1, events });
        await frame();
      });
    };
    await show('r1', true);
    await press('Change…');
    await write('{"to": "b@');
    await show('r1', false);
    await show('r1', true);
    expect(element.querySelector('textarea')?.value).toBe('{"to": "b@');
    expect(document.activeElement).toBe(document.body);
    await show('r2', true);
    expect(said()).toContain('"to": "anna@example.org"');
    await show('r1', true);
    await press('Cancel');
    await press('Change…');
    expect(element.querySelector('textarea')?.value).toContain('"to": "anna@example.org"');
  });

  it('keeps what is half-written when Escape closes it', async () => {
    await inspect(askWait());
    await press('Refuse…');
    await write('Not tod');
    const escape = new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true });
    await act(async () => void element.querySelector('input')?.dispatchEvent(escape));
    await press('Refuse…');
    expect(element.querySelector('input')?.value).toBe('Not tod');
  });

  it('stands beside other questions and other waits', async () => {
    const plain = askWait({ key: 'ship', message: 'Ship it?', form: null });
    await inspect(askWait(), askWait({ key: 'ask:c2' }), plain);
    const cards = [...element.querySelectorAll('.iai-ask')];
    expect(cards).toHaveLength(2);
    await press('Allow', cards[1]);
    expect(request.mock.lastCall).toMatchObject(['answer', { step: 'analyst#ask:c2' }]);
    expect(said()).toContain('Ship it?');
    await press('Approve');
    expect(request.mock.lastCall).toMatchObject(['answer', { step: 'analyst#ship' }]);
  });

  it('hides nothing that a stranger wrote', async () => {
    const form = { ...askWait().form, 'x-call': { tool: 'a\u202eb', why: '\u200b' } };
    await inspect(askWait({ form }));
    expect(said()).toContain('a<U+202E>b');
    expect(said()).toContain('<U+200B>');
  });
});

describe('a question of an agent anywhere', () => {
  function Listener() {
    useAskNews(controller);
    return null;
  }

  const tell = (seq: number, ...waits: Wait[]): Promise<void> =>
    act(async () => {
      link.runs.apply({ v: VERSION, seq, events: [['analyst', waiting(...waits)]] });
      await frame();
    });

  it('is said aloud, once', async () => {
    render(<Listener />);
    await tell(1, askWait());
    expect(controller.view.get().said).toBe('analyst asks: may mail.send be called?');
    controller.say('');
    await tell(2, askWait());
    expect(controller.view.get().said).toBe('');
    await tell(3, askWait({ key: 'ask:c2' }), askWait({ form: null }));
    expect(controller.view.get().said).toContain('analyst asks');
  });
});

describe('a question of an agent on the face of its node', () => {
  const open = vi.fn();

  function face(state: NodeState): void {
    render(<NodeOutput {...{ controller, state }} onOpen={() => undefined} onAsk={open} />);
  }

  it('is there as soon as it asks', () => {
    const state = waiting(askWait());
    expect(hasOutput(state)).toBe(true);
    expect(hasOutput(waiting(askWait({ form: null })))).toBe(false);
    face(state);
    expect(said()).toContain('May the agent call mail.send?');
    expect(said()).toContain('to: anna@example.org, text: Hi');
  });

  it('leaves room for what the agent did, also when it failed', () => {
    const trace = { kind: 'json', type: 'json', text: JSON.stringify(TRACE), cut: false } as const;
    const error = { code: 'model-no-key', message: 'There is no key.' };
    face({ ...IDLE, state: 'failed', error, outputs: { trace, text: trace } });
    expect(said()).toContain('There is no key.');
    expect(element.querySelectorAll('.iai-agent')).toHaveLength(1);
    expect(said()).toContain('Interrupted');
  });

  it('shows all of what is to be done, however long', () => {
    const text = `${'x'.repeat(300)}\nrm -rf /`;
    const given = { properties: { arguments: { default: { text } } } };
    face(waiting(askWait({ form: { ...askWait().form, ...given } })));
    expect(said()).toContain('rm -rf /');
  });

  it('gives the focus to the next one, as a whole, when it was answered', async () => {
    face(waiting(askWait(), askWait({ key: 'ask:c2' })));
    const [first, second] = element.querySelectorAll<HTMLElement>('.iai-ask');
    button('Allow', first).focus();
    face(waiting(askWait({ key: 'ask:c2' })));
    await act(frame);
    expect(document.activeElement).toBe(second);
  });

  it('is allowed and refused there, and changed in the inspector', async () => {
    face(waiting(askWait()));
    await press('Change…');
    expect(open).toHaveBeenCalledOnce();
    await press('Allow');
    expect(request.mock.lastCall).toMatchObject(['answer', { outcome: 'approved' }]);
  });
});
