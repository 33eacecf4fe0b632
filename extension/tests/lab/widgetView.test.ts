import type { IRenderMime } from '@jupyterlab/rendermime';
import { expect, it } from 'vitest';
import { showWidget } from '../../src/lab/widgetView';

const MODEL = {} as IRenderMime.IMimeModel;

/** A renderer that gives up some times, as that of ipywidgets does. */
function rendererThatFails(times: number) {
  const classes = new Set<string>();
  const renderer = {
    asked: 0,
    isDisposed: false,
    hasClass: (name: string) => classes.has(name),
    removeClass: (name: string) => void classes.delete(name),
    renderModel: () => {
      renderer.asked += 1;
      if (renderer.asked <= times) {
        classes.add('jupyter-widgets');
      }
      return Promise.resolve();
    }
  };
  return renderer;
}

it('asks once where the widget is there', async () => {
  const renderer = rendererThatFails(0);
  await showWidget(renderer, MODEL);
  expect(renderer.asked).toBe(1);
});

it('shows a widget that was restored just when its renderer gave up', async () => {
  const renderer = rendererThatFails(1);
  await showWidget(renderer, MODEL);
  expect(renderer.asked).toBe(2);
  expect(renderer.hasClass('jupyter-widgets')).toBe(false);
});

it('leaves it at that where there is no such widget', async () => {
  const renderer = rendererThatFails(9);
  await showWidget(renderer, MODEL);
  expect(renderer.asked).toBe(2);
});

it('asks nothing of a renderer that is gone', async () => {
  const renderer = rendererThatFails(9);
  renderer.isDisposed = true;
  await showWidget(renderer, MODEL);
  expect(renderer.asked).toBe(1);
});
