/** What a run in a cell asks, below its table: an anywidget module. */
import '../canvas/style/variables.css';
import '../canvas/style/chrome.css';
import '../canvas/style/outputs.css';
import '../canvas/style/agent.css';
import '../plain/plain.css';
import './asks.css';
import { createRoot } from 'react-dom/client';
import type { FormServices } from '../canvas/agent/WaitCard';
import { keepKeys } from '../canvas/keys';
import { translator } from '../core/i18n';
import { mountForm } from '../plain/form';
import { bridgedServices, pageLanguage } from '../widget/bridge';
import { ModelTransport, type WidgetModel } from '../widget/model';
import { App } from './App';
import { Line } from './line';

interface Context {
  readonly model: WidgetModel;
  readonly el: HTMLElement;
}

/** Once for each view of a widget; returns what removes the view. */
async function render({ model, el }: Context): Promise<() => void> {
  const place = document.createElement('div');
  place.className = 'iai-root iai-asks-place';
  el.append(place);
  const services = (await bridgedServices(place)) ?? plainServices();
  const transport = new ModelTransport(model);
  const line = new Line(
    transport,
    services.trans('The kernel is gone. Restart it and run the cell, or open the flow, again.')
  );
  const root = createRoot(place);
  root.render(<App line={line} services={services} />);
  const forget = keepKeys(place);
  line.start();
  return () => {
    forget();
    root.unmount();
    line.dispose();
    transport.dispose();
    place.remove();
  };
}

function plainServices(): FormServices {
  const language = pageLanguage();
  const trans = translator(language);
  return { language, trans, mountForm: (form, props) => mountForm(form, props, trans) };
}

export default { render };
