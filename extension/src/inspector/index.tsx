/** The inspector of a memory in a cell's output: an anywidget module. */
import '../canvas/style/variables.css';
import './inspector.css';
import { createRoot } from 'react-dom/client';
import { keepKeys } from '../canvas/keys';
import { translatorOfMemory } from './locale';
import { languageOf } from '../widget/language';
import { ModelTransport, type WidgetModel } from '../widget/model';
import { App } from './App';
import { SharedContext } from './context';
import { Line } from './line';
import { Inspector } from './model';

interface Context {
  readonly model: WidgetModel;
  readonly el: HTMLElement;
}

/** Once for each view of a widget; returns what removes the view. */
async function render({ model, el }: Context): Promise<() => void> {
  const place = document.createElement('div');
  place.className = 'iai-memory-place';
  el.append(place);
  const language = await languageOf(place);
  const trans = translatorOfMemory(language);
  const transport = new ModelTransport(model);
  const line = new Line(
    transport,
    trans('The kernel is gone; what is shown is from before. Run the cell again to go on.')
  );
  const inspector = new Inspector(line, trans);
  const root = createRoot(place);
  root.render(
    <SharedContext.Provider value={{ model: inspector, trans, language }}>
      <App />
    </SharedContext.Provider>
  );
  const ends = [keepKeys(place), keepHeight(model, place)];
  void inspector.start();
  return () => {
    ends.forEach(end => end());
    root.unmount();
    line.dispose();
    transport.dispose();
    place.remove();
  };
}

function keepHeight(model: WidgetModel, place: HTMLElement): () => void {
  const show = (): void => {
    place.style.height = `${Number(model.get('height')) || 520}px`;
  };
  show();
  model.on('change:height', show);
  return () => model.off('change:height', show);
}

export default { render };
