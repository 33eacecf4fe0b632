import { act } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dumpFlow } from '../../src/core/file';
import { bigFlow } from '../../src/testpage/flows';
import { showFlow, type Stage } from './stage';

let stage: Stage;

function found(selector: string): HTMLElement {
  const element = document.querySelector<HTMLElement>(selector);
  return element ?? expect.unreachable(`${selector} is not there`);
}

function press(on: HTMLElement, key: string): void {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true });
  act(() => void on.dispatchEvent(event));
}

afterEach(() => {
  act(() => stage.root.unmount());
  document.body.replaceChildren();
});

describe('the list of ends of a wire', () => {
  const list = (): HTMLElement => found('.iai-wire-picker ul');
  const chosen = (): string | null => found('.iai-wire-picker [aria-selected=true]').textContent;

  it('goes to what begins with a letter, and leaves no key to the flow below', () => {
    stage = showFlow(bigFlow(3));
    const { controller } = stage;
    const before = controller.document.text();
    act(() => controller.look({ wiring: { node: 'n0', port: 'out', side: 'output' } }));
    press(list(), 'n');
    expect(chosen()).toBe('New node…');
    for (const key of ['Delete', 'F2', '/', 'l', 'x']) {
      press(list(), key);
    }
    expect(chosen()).toBe('New node…');
    expect(controller.document.text()).toBe(before);
    expect(controller.view.get().quick).toBeNull();
  });
});

describe('Enter on a node', () => {
  it('opens its settings and goes into them', () => {
    const settings = (
      <div className="iai-inspector">
        <button>Only this</button>
        <div role="tabpanel">
          <input disabled />
          <textarea />
        </div>
      </div>
    );
    stage = showFlow(bigFlow(2), settings);
    press(found('[data-id=n1]'), 'Enter');
    expect(stage.controller.view.get().panels.has('inspector')).toBe(true);
    expect(document.activeElement?.localName).toBe('textarea');
  });
});

describe('Enter on a node whose settings come later', () => {
  const show = async (): Promise<void> => {
    const inspector = found('.iai-app').appendChild(document.createElement('div'));
    inspector.className = 'iai-inspector';
    const page = inspector.appendChild(document.createElement('div'));
    page.setAttribute('role', 'tabpanel');
    page.append(document.createElement('textarea'));
    await new Promise(requestAnimationFrame);
  };

  it('goes into them when they are there', async () => {
    stage = showFlow(bigFlow(2));
    const node = found('[data-id=n1]');
    node.focus();
    press(node, 'Enter');
    await show();
    expect(document.activeElement?.localName).toBe('textarea');
  });

  it('leaves the focus to who took it meanwhile', async () => {
    stage = showFlow(bigFlow(2));
    const node = found('[data-id=n1]');
    node.focus();
    press(node, 'Enter');
    found('.iai-surface').focus();
    await show();
    expect(document.activeElement?.className).toBe('iai-surface');
  });
});

describe('Enter on a node whose agent asks', () => {
  it('goes to what is asked about, and not to a button', () => {
    const question = (
      <div className="iai-inspector">
        <section className="iai-ask">
          <button>First</button>
          <pre className="iai-log" tabIndex={0} />
        </section>
        <div role="tabpanel">
          <textarea />
        </div>
      </div>
    );
    stage = showFlow(bigFlow(2), question);
    press(found('[data-id=n1]'), 'Enter');
    expect(document.activeElement?.className).toBe('iai-log');
  });
});

describe('a node that had the focus and is taken away', () => {
  it('leaves it to the surface, whoever took the node away', async () => {
    stage = showFlow(bigFlow(2));
    const { document: document_ } = stage.controller;
    act(() => found('[data-id=n1]').focus());
    const text = dumpFlow(bigFlow(1));
    act(() => void document_.load(text));
    const focused = (): string | undefined => document.activeElement?.className;
    await act(() => vi.waitFor(() => expect(focused()).toBe('iai-surface')));
  });
});

describe('the menu of a node', () => {
  const point = (on: HTMLElement, kind: string): void =>
    act(() => void on.dispatchEvent(new MouseEvent(kind, { bubbles: true, cancelable: true })));

  it('follows a pointer that moves, and not one over which it has opened', () => {
    stage = showFlow(bigFlow(2));
    point(found('[data-id=n1]'), 'contextmenu');
    const [first, second] = document.querySelectorAll<HTMLElement>('[role=menuitem]');
    expect(document.activeElement).toBe(first);
    point(second as HTMLElement, 'pointerover');
    expect(document.activeElement).toBe(first);
    point(second as HTMLElement, 'pointermove');
    expect(document.activeElement).toBe(second);
  });
});
