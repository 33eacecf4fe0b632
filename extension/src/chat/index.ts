/** A chat with an agent in a cell's output: an anywidget module. */
import '../canvas/style/variables.css';
import '../canvas/style/chrome.css';
import '../canvas/style/outputs.css';
import '../canvas/style/agent.css';
import '../canvas/style/chat.css';
import '../plain/plain.css';
import './chat.css';
import { mountChat, type Absence } from '../canvas/chat/mount';
import { ChatLink } from '../core/chatLink';
import { Chats } from '../core/chats';
import { Store } from '../core/store';
import { servicesFor } from '../widget/host';
import { ModelTransport, type WidgetModel } from '../widget/model';

interface Context {
  readonly model: WidgetModel;
  readonly el: HTMLElement;
}

/** Once for each view of a widget; returns what removes the view. */
async function render({ model, el }: Context): Promise<() => void> {
  const place = document.createElement('div');
  place.className = 'iai-chat-place';
  el.append(place);
  const services = await servicesFor(place, model);
  const transport = new ModelTransport(model);
  const chats = new Chats(new ChatLink(transport, services.trans));
  const mounted = mountChat(place, {
    chats,
    services,
    absence: new Store<Absence | null>(null)
  });
  const endHeight = keepHeight(model, place);
  tellHost(model, services.kind);
  void chats.start();
  return () => {
    endHeight();
    mounted.dispose();
    chats.dispose();
    transport.dispose();
    place.remove();
  };
}

function keepHeight(model: WidgetModel, place: HTMLElement): () => void {
  const show = (): void => {
    place.style.height = `${Number(model.get('height')) || 560}px`;
  };
  show();
  model.on('change:height', show);
  return () => model.off('change:height', show);
}

/** The kernel may write an output anew only where that does not draw the chat anew. */
function tellHost(model: WidgetModel, host: string): void {
  if (model.get('host') !== host) {
    model.set('host', host);
    model.save_changes();
  }
}

export default { render };
