import { act, createElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Notices } from '../../src/canvas/chrome/Notices';
import { CommandsContext } from '../../src/canvas/chrome/use';
import { ControllerContext } from '../../src/canvas/hooks';
import { commands } from '../../src/core/commands';
import { Controller } from '../../src/core/controller';
import { FlowDocument } from '../../src/core/document';
import { KernelLink, type Hello } from '../../src/core/link';
import { NO_RUN, type Mode } from '../../src/core/protocol';
import type { Services } from '../../src/core/services';
import { plainServices } from '../../src/plain';
import { PageKernel } from '../../src/testpage/kernel';
import { CATALOG } from '../../src/testpage/types';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let root: Root;
let element: HTMLElement;
let link: KernelLink;
let kernel: PageKernel;

function open(mode: Mode, lent: Partial<Services> = {}): FlowDocument {
  const services = { ...plainServices({ place: element, language: 'en' }), ...lent };
  const document_ = new FlowDocument();
  const controller = new Controller({ document: document_, services, builtin: CATALOG, mode });
  kernel = new PageKernel();
  link = new KernelLink(kernel, { trans: services.trans });
  controller.link.set(link);
  const notices = createElement(Notices);
  const list = createElement(CommandsContext.Provider, { value: commands(controller) }, notices);
  act(() => root.render(createElement(ControllerContext.Provider, { value: controller }, list)));
  return document_;
}

const text = (): string => element.textContent ?? '';

beforeEach(() => {
  element = document.createElement('div');
  root = createRoot(element);
});

afterEach(() => {
  act(() => root.unmount());
  link.dispose();
});

describe('what is said above the canvas', () => {
  it.each([
    ['kernel-lost', 'failed'],
    ['kernel-ended', 'cancelled']
  ] as const)('tells of a run that was lost with its kernel: %s', (code, state) => {
    open('document');
    const error = { code, message: 'The kernel was lost: its process ended.' };
    act(() => link.runs.run.set({ ...NO_RUN, run_id: '01RUN', state, started_at: 1, error }));
    expect(text()).toContain('The kernel was restarted in the middle of a run');
    expect(text()).toContain('01RUN');
    expect(text()).toContain('Run again');
  });

  it('tells of a kernel that is gone, and not of one that is on its way back', () => {
    open('document');
    act(() => kernel.closed.set(true));
    expect(text()).toContain('The kernel is gone');
    act(() => link.expectBack(true));
    expect(text()).toBe('');
  });

  it('tells of edits that would end with the kernel', () => {
    open('code');
    act(() => link.info.set({ ahead: true, kept: false } as Hello));
    expect(text()).toContain('and end with the kernel');
  });

  it('does not, where they outlive it', () => {
    open('code');
    act(() => link.info.set({ ahead: true, kept: true } as Hello));
    expect(text()).toContain('only on the canvas so far.');
  });

  it('goes on to tell of edits that were made while the cell was updated', async () => {
    const document_ = open('code', { insertCell: () => true });
    await act(() => link.hello({ path: 'page.flow.json' }));
    const rename = (name: string): void =>
      act(() => document_.edit('Rename', flow => ({ ...flow, name })));
    const update = (): void => element.querySelector('button')?.click();
    rename('one');
    update();
    rename('two');
    await act(() => link.request('python', { text: '' })); // it answers in order
    expect(text()).toContain('only on the canvas so far.');
    update();
    await act(() => link.request('python', { text: '' }));
    expect(text()).toBe('');
  });
});
