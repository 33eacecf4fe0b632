import { expect, it } from 'vitest';
import { keepKeys } from '../../src/canvas/keys';

it('keeps keys from the page around, but for those that are the host alone', () => {
  const page = document.createElement('div');
  const canvas = page.appendChild(document.createElement('div'));
  const node = canvas.appendChild(document.createElement('div'));
  const heard: string[] = [];
  page.addEventListener('keydown', event => heard.push(event.key));
  const press = (key: string, ctrlKey = false, done = false): void => {
    const event = new KeyboardEvent('keydown', { key, ctrlKey, bubbles: true, cancelable: true });
    if (done) {
      event.preventDefault();
    }
    node.dispatchEvent(event);
  };
  const end = keepKeys(canvas);
  press('d');
  press('z', true);
  press('k', true, true);
  expect(heard).toEqual([]);
  press('s', true);
  press('k', true);
  press('Shift');
  expect(heard).toEqual(['s', 'k', 'Shift']);
  end();
  press('d');
  expect(heard).toEqual(['s', 'k', 'Shift', 'd']);
});

it('marks what has the focus for as long as its key lasts', () => {
  const canvas = document.body.appendChild(document.createElement('div'));
  const surface = canvas.appendChild(document.createElement('div'));
  const node = surface.appendChild(document.createElement('div'));
  const press = (on: Element, key: string, ctrlKey = false): boolean => {
    let passedOver = false;
    const look = (): void => {
      passedOver = on.closest('[data-lm-suppress-shortcuts]') !== null;
    };
    document.addEventListener('keydown', look, true);
    on.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey, bubbles: true }));
    document.removeEventListener('keydown', look, true);
    return passedOver;
  };
  const end = keepKeys(canvas);
  expect(press(surface, 'd')).toBe(true);
  expect(press(node, 's', true)).toBe(false);
  expect(press(node, 'd')).toBe(true);
  end();
  expect(press(surface, 's', true)).toBe(false);
  expect(press(node, 's', true)).toBe(false);
  canvas.remove();
});
