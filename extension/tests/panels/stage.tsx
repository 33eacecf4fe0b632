/** A panel in a page, over a service that answers as a test says. */
import { act, type ReactElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { vi } from 'vitest';
import type { Client } from '../../src/api/client';
import type { RunSummary } from '../../src/api/types';
import { translator } from '../../src/core/i18n';
import { HostContext, type PanelHost } from '../../src/panels/host';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let root: Root | null = null;

export function run(id: string, change: Partial<RunSummary> = {}): RunSummary {
  return {
    id,
    flow: 'a.ipynb',
    version: 'v',
    queue: 'default',
    state: 'completed',
    reason: '',
    run_at: '2026-11-23T06:00:00Z',
    created_at: '2026-11-23T06:00:00Z',
    started_at: '2026-11-23T06:00:00Z',
    ended_at: '2026-11-23T06:00:01Z',
    duration_s: 1,
    cancel_requested: false,
    retry_of: null,
    error: null,
    waits: [],
    ...change
  };
}

export function hostOf(client: object, change: Partial<PanelHost> = {}): PanelHost {
  return {
    client: client as Client,
    trans: translator('en'),
    language: 'en',
    mountForm: element => {
      element.append(document.createElement('input'));
      return { update: () => undefined, dispose: () => undefined };
    },
    open: vi.fn(),
    save: vi.fn(() => Promise.resolve('')),
    compare: vi.fn(),
    openOutput: vi.fn(() => Promise.resolve()),
    debug: vi.fn(() => Promise.resolve()),
    edit: vi.fn(),
    confirm: vi.fn(() => Promise.resolve(true)),
    ...change
  };
}

export async function show(host: PanelHost, content: ReactElement): Promise<HTMLElement> {
  const element = document.createElement('div');
  document.body.append(element);
  root = createRoot(element);
  await act(async () =>
    root?.render(<HostContext.Provider value={host}>{content}</HostContext.Provider>)
  );
  return element;
}

export async function leave(): Promise<void> {
  await act(async () => root?.unmount());
  root = null;
  document.body.replaceChildren();
}

/** The element with these words, and nothing else. */
export function named(place: ParentNode, selector: string, words: string): HTMLElement {
  const found = [...place.querySelectorAll<HTMLElement>(selector)].filter(
    each => (each.getAttribute('aria-label') ?? each.textContent ?? '').trim() === words
  );
  if (found.length !== 1) {
    throw new Error(`${found.length} of ${selector} are called ${words}.`);
  }
  return found[0] as HTMLElement;
}

export async function click(element: HTMLElement): Promise<void> {
  await act(async () => element.click());
}

export async function type(element: HTMLElement, text: string): Promise<void> {
  const field = element as HTMLInputElement;
  const prototype = Object.getPrototypeOf(field) as object;
  await act(async () => {
    // past React's own setter, which would take the change for its own
    Object.getOwnPropertyDescriptor(prototype, 'value')?.set?.call(field, text);
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

export function press(key: string): void {
  act(() => {
    document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  });
}

/** Wait until what is checked holds; what changes meanwhile is drawn. */
export async function until(check: () => void): Promise<void> {
  await vi.waitFor(
    async () => {
      await act(() => new Promise(resolve => setTimeout(resolve, 20)));
      check();
    },
    { timeout: 30_000, interval: 1 }
  );
}
