/** What is shown: panels, searches, the zoom, and ways out to code. */
import { translatorOf } from '../attempt';
import type { Controller, Panel } from '../controller';
import type { Edge, Flow } from '../flow';
import type { Command } from './command';
import { chosenNodes, onlyNode } from './selected';
import { changing, madePorts, whyNoKernel, whyNoOneOutput } from './why';

export function lookCommands(controller: Controller): Command[] {
  const trans = translatorOf(controller);
  const view = trans('View');
  const command = (
    id: string,
    label: string,
    keys: string[],
    run: () => void | Promise<void>,
    enabled: () => boolean = () => true,
    category = view
  ): Command => ({ id, label, category, keys, enabled, run });
  const coding = (
    id: string,
    label: string,
    keys: string[],
    why: (controller: Controller) => string,
    run: () => Promise<void>
  ): Command => ({
    ...command(id, label, keys, run, () => why(controller) === '', trans('Code')),
    why: () => why(controller)
  });
  const panel = (name: Panel, label: string): Command => ({
    ...command(`toggle-${name}`, label, [], () => controller.toggle(name)),
    toggled: () => controller.view.get().panels.has(name)
  });
  return [
    command(
      'fit',
      trans('Fit into view'),
      ['1'],
      () => controller.surface?.reveal([]),
      () => isDrawn(controller.flow)
    ),
    command('zoom-in', trans('Zoom in'), ['+', '='], () => controller.surface?.zoom(1.25)),
    command('zoom-out', trans('Zoom out'), ['-'], () => controller.surface?.zoom(0.8)),
    command('find', trans('Find'), ['Mod+F'], () => controller.look({ find: true })),
    changing(controller, {
      ...command('quick-search', trans('Add a node'), ['/'], () => quickSearch(controller)),
      category: trans('Edit')
    }),
    command('command-list', trans('All commands'), ['Mod+Shift+K', '?'], () =>
      controller.look({ commandList: true })
    ),
    command(
      'inspect',
      trans('Inspect'),
      ['I'],
      () => controller.toggle('inspector', true),
      () => chosenNodes(controller).length > 0
    ),
    panel('palette', trans('Palette')),
    panel('inspector', trans('Inspector')),
    panel('timeline', trans('Timeline')),
    panel('history', trans('History')),
    panel('problems', trans('Problems')),
    {
      ...command('toggle-map', trans('Map of the flow'), [], () =>
        controller.look({ minimap: !controller.view.get().minimap })
      ),
      toggled: () => controller.view.get().minimap
    },
    coding('copy-python', trans('Copy as Python'), [], whyNoKernel, () => copyPython(controller)),
    coding('open-in-notebook', trans('Open in notebook'), ['O'], whyNoOneOutput, async () => {
      const node = onlyNode(controller);
      const port = node && madePorts(controller, node)[0];
      if (node && port) {
        await openInNotebook(controller, node, port);
      }
    })
  ];
}

/** Whether there is anything on the surface. */
function isDrawn({ nodes, notes, parameters }: Flow): boolean {
  return [nodes, notes, parameters].some(part => Object.keys(part).length > 0);
}

/** Where the pointer is; while one edge alone is selected, in the middle of it. */
function quickSearch(controller: Controller): void {
  const { edges, selection } = controller.view.get();
  const [index = -1] = selection.size === 0 && edges.size === 1 ? edges : [];
  const edge = controller.flow.edges[index];
  const at = (edge && middleOf(controller, edge)) ?? controller.surface?.pointer() ?? [0, 0];
  const screen = controller.surface?.toScreen(at) ?? [0, 0];
  controller.look({ quick: { at, screen, wire: null, edge } });
}

/** Between the nodes of an edge; null: they have no place. */
function middleOf(
  { flow }: Controller,
  { source, target }: Edge
): readonly [number, number] | null {
  const [from, to] = [flow.layout[source], flow.layout[target]];
  return from && to ? [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2] : null;
}

async function copyPython(controller: Controller): Promise<void> {
  const link = controller.link.get();
  const result =
    link &&
    (await controller.attempt(() => link.request('python', { text: controller.document.text() })));
  if (result) {
    await offerCode(controller, result.code);
  }
}

/** Bind the live value of an output to a variable, in a new cell where there is a notebook. */
export async function openInNotebook(
  controller: Controller,
  node: string,
  port: string
): Promise<void> {
  const link = controller.link.get();
  const result =
    link &&
    (await controller.attempt(() => link.request('bind', { path: controller.path(node), port })));
  if (result && !controller.services.insertCell(result.code)) {
    await offerCode(controller, result.code);
  }
}

/** Put code on the clipboard, and say so. */
export async function offerCode(controller: Controller, code: string): Promise<void> {
  const copied = await controller.attempt(async () => {
    await controller.services.copy(code);
    return true;
  });
  if (copied) {
    const trans = translatorOf(controller);
    controller.services.notify(
      trans('The code is on the clipboard: paste it into a cell.'),
      'info'
    );
  }
}
