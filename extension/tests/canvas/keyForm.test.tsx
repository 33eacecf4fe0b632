import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { KeyForm } from '../../src/canvas/chrome/KeyForm';
import { ControllerContext } from '../../src/canvas/hooks';
import { Controller } from '../../src/core/controller';
import { FlowDocument } from '../../src/core/document';
import { KernelError, KernelLink } from '../../src/core/link';
import { plainServices } from '../../src/plain';
import builtin from '../../src/core/builtin.json';
import type { Catalog, NodeType } from '../../src/core/catalog';
import { PageKernel } from '../../src/testpage/kernel';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let root: Root;
let element: HTMLElement;
let controller: Controller;
let link: KernelLink;
let request: MockInstance<KernelLink['request']>;
let isSet: boolean;

beforeEach(async () => {
  isSet = false;
  element = document.body.appendChild(document.createElement('div'));
  root = createRoot(element);
  const services = plainServices({ place: element, language: 'en' });
  const types: Catalog = new Map(
    (builtin as unknown as NodeType[]).map(type => [type.type, type] as const)
  );
  const options = { document: new FlowDocument(), services, builtin: types };
  controller = new Controller({ ...options, mode: 'document' });
  controller.document.edit('', flow => ({ ...flow, nodes: { clerk: { type: 'agent' } } }));
  link = new KernelLink(new PageKernel(), { trans: services.trans });
  controller.link.set(link);
  request = vi.spyOn(link, 'request').mockImplementation(async (name, args) => {
    isSet ||= name === 'set_secret';
    const { text } = args as { text?: string };
    if (name === 'run' && !isSet && !text?.includes('scripted')) {
      const said = "Secret OWN_KEY isn't set in project default. Set it: `iaiflow secrets set`.";
      throw new KernelError('secret-unset', said, 'drawn: nodes.clerk.config');
    }
    return {} as never;
  });
  act(() =>
    root.render(
      <ControllerContext.Provider value={controller}>
        <KeyForm />
      </ControllerContext.Provider>
    )
  );
  await act(() => controller.run('all'));
});

afterEach(() => {
  act(() => root.unmount());
  link.dispose();
  element.remove();
});

const dialog = (): Element | null => element.querySelector('[role=dialog]');
const runs = (): number => request.mock.calls.filter(([name]) => name === 'run').length;

async function press(label: string): Promise<void> {
  const found = [...element.querySelectorAll('button')].find(one => one.textContent === label);
  await act(async () => found?.click());
}

describe('a run that lacks a key', () => {
  it('says which one, and where', () => {
    expect(dialog()?.textContent).toContain('clerk needs the secret OWN_KEY');
  });

  it('goes on with a key that is pasted, which stays out of the flow', async () => {
    const field = element.querySelector('input') as HTMLInputElement;
    expect(field.type).toBe('password');
    await act(async () => {
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(
        field,
        'sk-1'
      );
      field.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await press('Keep it and run');
    expect(request).toHaveBeenCalledWith('set_secret', { name: 'OWN_KEY', value: 'sk-1' });
    expect([dialog(), runs()]).toEqual([null, 2]);
    expect(controller.document.text()).not.toContain('sk-1');
  });

  it('goes on with a script', async () => {
    await press('Use the scripted model');
    const { config } = controller.document.flow.get().nodes['clerk'] ?? {};
    expect(config).toMatchObject({ model: 'scripted', script: [{}] });
    expect([dialog(), runs()]).toEqual([null, 2]);
  });

  it('leads to the field for another server', async () => {
    await press('Give the address of another server');
    expect(dialog()).toBeNull();
    expect([...controller.view.get().selection]).toEqual(['clerk']);
    expect(controller.view.get().panels.has('inspector')).toBe(true);
  });
});
