import { useState, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/flow';
import type { FormProps } from '../../src/core/services';
import { SchemaForm } from '../../src/panels/Form';
import { hostOf, leave, show } from './stage';

const SCHEMA = { type: 'object', properties: { word: { type: 'string' } } };

afterEach(async () => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  await leave();
});

/** A form of the host: a page of its own, whose field shows what it is given. */
function mountForm(element: HTMLElement, props: FormProps) {
  const root = createRoot(element);
  const draw = ({ value, onChange }: FormProps): void =>
    root.render(
      <input
        value={String(value.word ?? '')}
        onChange={event => onChange('word', event.currentTarget.value)}
      />
    );
  draw(props);
  return { update: draw, dispose: () => root.unmount() };
}

function Filled(): ReactElement {
  const [value, setValue] = useState<JsonObject>({});
  return <SchemaForm schema={SCHEMA} value={value} onChange={setValue} />;
}

describe('a form of the host', () => {
  it('keeps what is typed, however fast', async () => {
    const page = await show(hostOf({}, { mountForm }), <Filled />);
    const field = page.querySelector('input') as HTMLInputElement;
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set;
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false }); // nothing is drawn between keys
    for (const key of 'bye') {
      set?.call(field, field.value + key);
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
    expect(field.value).toBe('bye');
  });
});
