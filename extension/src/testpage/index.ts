/** The canvas on a plain page with a kernel inside of it, and hooks for tests and benchmarks. */
import '@xyflow/react/dist/style.css';
import '../canvas/style/variables.css';
import '../canvas/style/surface.css';
import '../canvas/style/chrome.css';
import '../canvas/style/outputs.css';
import '../canvas/style/agent.css';
import '../canvas/style/chat.css';
import '../plain/plain.css';
import './testpage.css';
import { hostile } from '../../tests/hostile';
import { mountCanvas } from '../canvas/mount';
import { Controller } from '../core/controller';
import { FlowDocument } from '../core/document';
import { dumpFlow } from '../core/file';
import { EMPTY_FLOW, type Flow } from '../core/flow';
import { KernelLink } from '../core/link';
import { FlowSync } from '../core/sync';
import { plainServices } from '../plain';
import { CHAT_PLACES, showChat, showInChat, type ShownChat } from './chat';
import { PageChat } from './chatKernel';
import { bigFlow } from './flows';
import { PageKernel } from './kernel';
import { feedLoad, type LoadOptions, type LoadResult } from './load';
import { measureFrames, nextFrame } from './meter';
import { mountNaive, type Naive } from './naive';
import { PLACES, showText } from './show';
import { CATALOG } from './types';

type Feed = Omit<LoadOptions, 'paths'>;

const parameters = new URLSearchParams(location.search);
const place = document.getElementById('canvas') as HTMLElement;
const shown = document.getElementById('shown') as HTMLElement;
const language = parameters.get('lang') ?? 'en';
document.documentElement.lang = language;
document.body.dataset.jpThemeLight = String(parameters.get('theme') !== 'dark');

const services = plainServices({ place: document.body, language });
const flowDocument = new FlowDocument();
flowDocument.load(dumpFlow({ ...EMPTY_FLOW, name: 'page' }));
const controller = new Controller({
  document: flowDocument,
  services,
  builtin: CATALOG,
  mode: 'document',
  panels: parameters.get('panels') === 'none' ? [] : ['palette', 'inspector']
});
const kernel = new PageKernel();
kernel.trusted = parameters.get('trusted') !== 'false';
const link = new KernelLink(kernel, { trans: services.trans });
const sync = new FlowSync({
  controller,
  link,
  follows: false,
  trans: services.trans,
  path: () => 'page.flow.json'
});
controller.link.set(link);
mountCanvas(place, controller, { compact: parameters.has('compact') });

/** Show a flow and wait until it is drawn. */
async function load(flow: Flow): Promise<void> {
  flowDocument.load(dumpFlow(flow));
  await nextFrame();
}

let naive: Naive | null = null;

/** Put something else in the canvas's place, or the canvas back. */
function swap(isOther: boolean): void {
  place.hidden = isOther;
  shown.hidden = !isOther;
}

let endChat: () => void = () => undefined;

/** Show a text in a chat, or leave the chat. */
async function inChat(text: string | null, where: string): Promise<void> {
  endChat();
  swap(text !== null);
  endChat = text === null ? () => undefined : await showInChat(shown, services, text, where);
}

const iai = {
  controller,
  kernel,
  link,
  sync,
  load,
  loadFlow: (count: number): Promise<void> => load(bigFlow(count)),
  /** Send events to the canvas while frames are counted. */
  feed: (options: Feed): Promise<LoadResult> =>
    feedLoad({ ...options, paths: Object.keys(flowDocument.flow.get().nodes) }, events =>
      kernel.push(events)
    ),
  /** The same load on a canvas as it is usually written. */
  naive: {
    mount: async (count: number): Promise<void> => {
      naive?.dispose();
      swap(true);
      naive = mountNaive(shown, bigFlow(count));
      await nextFrame();
    },
    feed: (options: Feed, count: number): Promise<LoadResult> =>
      feedLoad({ ...options, paths: Object.keys(bigFlow(count).nodes) }, events =>
        naive?.send(events)
      ),
    fit: (): void => naive?.fit(),
    unmount: (): void => {
      naive?.dispose();
      naive = null;
      swap(false);
    }
  },
  /** Show a chat, with a kernel of its own. */
  chat: (): ShownChat => {
    swap(true);
    return showChat(shown, services, new PageChat());
  },
  measureFrames,
  nextFrame,
  counters: () => link.runs.counters,
  /** Hostile texts that call `canary` when they succeed. */
  hostile,
  places: [...PLACES, ...CHAT_PLACES],
  /** Show a text where a stranger's text can appear, and wait until it is drawn; false: refused. */
  show: async (text: string, where: string): Promise<boolean> => {
    const isChat = CHAT_PLACES.includes(where);
    await inChat(isChat ? text : null, where);
    const taken = isChat || showText(controller, kernel, text, where);
    await nextFrame();
    return taken;
  }
};

declare global {
  interface Window {
    iai: typeof iai;
  }
}

window.iai = iai;
