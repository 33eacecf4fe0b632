import { act, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it } from 'vitest';
import { MimeOutput } from '../../src/canvas/outputs/MimeOutput';
import type { Bundle } from '../../src/core/protocol';
import { plainServices } from '../../src/plain';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const WIDGET = 'application/vnd.jupyter.widget-view+json';

function shown(data: Bundle['data'], trusted: boolean): string {
  const element = document.createElement('div');
  const services = plainServices({ place: element, language: 'en' });
  const root = createRoot(element);
  act(() => root.render(createElement(MimeOutput, { services, bundle: { data }, trusted })));
  const text = element.textContent ?? '';
  act(() => root.unmount());
  return text;
}

describe('outputs of an earlier run', () => {
  const widget = { [WIDGET]: { model_id: 'm' }, 'text/plain': 'IntSlider(value=7)' };

  it('are shown as text, and say why', () => {
    const text = shown(widget, false);
    expect(text).toContain('IntSlider(value=7)');
    expect(text).toContain('Run again to see it live.');
  });

  it('say nothing when there is nothing that would live', () => {
    expect(shown({ 'text/plain': 'plain' }, false)).toBe('plain');
    expect(shown({ 'text/plain': 'plain', 'text/markdown': '*x*' }, false)).not.toContain('again');
    expect(shown(widget, true)).not.toContain('Run again');
  });
});
