import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { App } from '../../src/asks/App';
import { Line } from '../../src/asks/line';
import type { Transport } from '../../src/core/link';
import { Store } from '../../src/core/store';
import { plainServices } from '../../src/plain';
import { askWait } from '../agents';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

class Kernel implements Transport {
  readonly closed = new Store(false);
  readonly sent: Record<string, unknown>[] = [];
  private hear: (message: unknown, buffers: DataView[]) => void = () => undefined;

  send(message: unknown): void {
    this.sent.push(message as Record<string, unknown>);
  }

  onMessage(listener: (message: unknown, buffers: DataView[]) => void): () => void {
    this.hear = listener;
    return () => undefined;
  }

  say(message: object): void {
    act(() => this.hear(message, []));
  }
}

let kernel: Kernel;
let line: Line;
let root: Root;
let element: HTMLElement;

beforeEach(() => {
  element = document.body.appendChild(document.createElement('div'));
  root = createRoot(element);
  kernel = new Kernel();
  line = new Line(kernel, 'The kernel is gone.');
  const services = plainServices({ place: element, language: 'en' });
  act(() => root.render(<App line={line} services={services} />));
  line.start();
  kernel.say({ waits: [askWait()] });
});

afterEach(() => {
  act(() => root.unmount());
  line.dispose();
  element.remove();
});

async function press(label: string): Promise<void> {
  const found = [...element.querySelectorAll('button')].find(one => one.textContent === label);
  await act(async () => found?.click());
}

const cards = (): number => element.querySelectorAll('.iai-ask').length;

describe('what a run in a cell asks', () => {
  it('is asked for by the page, and shown', () => {
    expect(kernel.sent).toEqual([{ v: 1, do: 'hello' }]);
    expect(cards()).toBe(1);
  });

  it('is answered to the kernel, which takes the card away', async () => {
    await press('Allow');
    const sent = kernel.sent.at(-1);
    expect(sent).toMatchObject({ do: 'answer', args: { outcome: 'approved' } });
    kernel.say({ view: sent?.view, reply: sent?.id });
    kernel.say({ waits: [] });
    expect(cards()).toBe(0);
  });

  it('may be a plain approval, with what has to be said', async () => {
    const form = { type: 'object', properties: { copies: { type: 'integer', title: 'Copies' } } };
    kernel.say({ waits: [askWait({ key: 'approval', message: 'Print it?', form })] });
    expect(element.querySelector('[role=status]')?.textContent).toBe('analyst asks: Print it?');
    expect(element.querySelector('.iai-waiting')?.textContent).toContain('Copies');
    await press('Refuse');
    expect(kernel.sent.at(-1)).toMatchObject({
      args: { step: 'analyst#approval', outcome: 'refused' }
    });
  });

  it('stays, with the reason, when the answer is not taken', async () => {
    await press('Allow');
    const sent = kernel.sent.at(-1);
    await act(async () =>
      kernel.say({ view: sent?.view, reply: sent?.id, error: 'It was answered already.' })
    );
    expect(element.querySelector('[role=alert]')?.textContent).toBe('It was answered already.');
    expect(cards()).toBe(1);
  });

  it('is gone with the kernel', () => {
    act(() => kernel.closed.set(true));
    expect(cards()).toBe(0);
  });
});
