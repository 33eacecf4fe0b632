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
  expect(heard).toEqual(['s', 'k']);
  end();
  press('d');
  expect(heard).toEqual(['s', 'k', 'd']);
});
