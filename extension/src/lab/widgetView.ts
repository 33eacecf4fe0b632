/** Showing a widget by the renderer that its manager has made. */
import type { IRenderMime } from '@jupyterlab/rendermime';

/** What a renderer becomes when it gives up. */
const GIVEN_UP = 'jupyter-widgets';

type Renderer = Pick<
  IRenderMime.IRenderer,
  'renderModel' | 'hasClass' | 'removeClass' | 'isDisposed'
>;

/**
 * Have a widget rendered. A renderer looks out for its widget for two seconds, and gives up for good
 * where the manager has restored all widgets by then: also one that came in just when they were
 * over. It is asked once more, and finds what is there at once.
 */
export async function showWidget(renderer: Renderer, model: IRenderMime.IMimeModel): Promise<void> {
  await renderer.renderModel(model);
  if (!renderer.isDisposed && renderer.hasClass(GIVEN_UP)) {
    renderer.removeClass(GIVEN_UP);
    await renderer.renderModel(model);
  }
}
