import type { ISessionContext } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Controller } from '../../src/core/controller';
import { FlowDocument } from '../../src/core/document';
import { KernelBinding } from '../../src/lab/kernel';
import { plainServices } from '../../src/plain';

vi.mock('@jupyterlab/services', () => ({ KernelMessage: {} }));

let session: ReturnType<typeof sessionOf>;
let binding: KernelBinding;

/** A session as far as the binding looks; its kernel is said to be whatever a test says. */
function sessionOf() {
  const owner = {};
  return {
    session: null as { kernel: object } | null,
    kernelChanged: new Signal<object, void>(owner),
    statusChanged: new Signal<object, void>(owner),
    connectionStatusChanged: new Signal<object, void>(owner)
  };
}

function kernelIs(status: string, connectionStatus = 'connected'): string {
  const info = new Promise(() => undefined);
  session.session = { kernel: { status, connectionStatus, info } };
  session.statusChanged.emit();
  return binding.state.get();
}

beforeEach(() => {
  session = sessionOf();
  const services = plainServices({ place: document.body, language: 'en' });
  const options = { document: new FlowDocument(), services, builtin: new Map() };
  binding = new KernelBinding(
    new Controller({ ...options, mode: 'document' }),
    session as unknown as ISessionContext,
    () => 'a.flow.json',
    new Map()
  );
});

afterEach(() => binding.dispose());

it('says of a kernel whether it starts, or is gone for good', () => {
  expect(binding.state.get()).toBe('none');
  expect(kernelIs('idle')).toBe('starting');
  expect(kernelIs('restarting')).toBe('starting');
  expect(kernelIs('autorestarting')).toBe('starting');
  expect(kernelIs('unknown', 'connecting')).toBe('starting');
  expect(kernelIs('dead')).toBe('lost');
  expect(kernelIs('idle')).toBe('starting');
  expect(kernelIs('unknown', 'disconnected')).toBe('lost');
  session.session = null;
  session.kernelChanged.emit();
  expect(binding.state.get()).toBe('none');
});
