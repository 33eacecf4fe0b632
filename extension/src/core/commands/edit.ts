/** Undo, the clipboard, and changes to what is selected. */
import { attemptEdit, reasonOf, translatorOf } from '../attempt';
import type { Controller } from '../controller';
import { copyText, duplicate, pasteText } from '../edits/clipboard';
import { disconnect } from '../edits/edges';
import { ungroup } from '../edits/groups';
import { removeNodes } from '../edits/nodes';
import { removeNotes } from '../edits/notes';
import { pin, unpin } from '../edits/pins';
import type { Flow } from '../flow';
import type { Command } from './command';
import { chosenGroups, chosenNodes, chosenNotes, chosenThings, onlyNamed } from './selected';
import { changing, madePorts, whyNoOutput } from './why';

export function editCommands(controller: Controller): Command[] {
  const trans = translatorOf(controller);
  const category = trans('Edit');
  const parts = (): boolean => chosenThings(controller).length > 0;
  const command = (
    id: string,
    label: string,
    keys: string[],
    enabled: () => boolean,
    run: () => void | Promise<void>
  ): Command => ({ id, label, category, keys, enabled, run });
  const change = (...given: Parameters<typeof command>): Command =>
    changing(controller, command(...given));
  const { document } = controller;
  return [
    change(
      'undo',
      trans('Undo'),
      ['Mod+Z'],
      () => document.state.get().canUndo,
      () => document.undo()
    ),
    change(
      'redo',
      trans('Redo'),
      ['Mod+Shift+Z', 'Mod+Y'],
      () => document.state.get().canRedo,
      () => document.redo()
    ),
    change('cut', trans('Cut'), ['Mod+X'], parts, async () => {
      if (await copy(controller)) {
        remove(controller);
      }
    }),
    command('copy', trans('Copy'), ['Mod+C'], parts, async () => void (await copy(controller))),
    change('paste', trans('Paste'), ['Mod+V'], always, () => paste(controller)),
    change('duplicate', trans('Duplicate'), ['Mod+D'], parts, () => duplicateChosen(controller)),
    change(
      'delete',
      trans('Delete'),
      ['Delete', 'Backspace'],
      () => anything(controller),
      () => remove(controller)
    ),
    command(
      'select-all',
      trans('Select all'),
      ['Mod+A'],
      () => everything(controller).length > 0,
      () => controller.select(everything(controller))
    ),
    change(
      'rename',
      trans('Rename'),
      ['F2'],
      () => onlyNamed(controller) !== null,
      () => controller.look({ renaming: onlyNamed(controller) })
    ),
    changing(controller, {
      ...command(
        'pin',
        trans('Pin outputs'),
        ['P'],
        () => whyNoOutput(controller) === '',
        () => pinChosen(controller)
      ),
      why: () => whyNoOutput(controller)
    }),
    change(
      'unpin',
      trans('Unpin outputs'),
      ['Shift+P'],
      () => chosenNodes(controller).some(id => controller.flow.nodes[id]?.pin),
      () =>
        controller.edit(trans('Unpin outputs'), flow =>
          chosenNodes(controller).reduce((result, id) => unpin(result, id), flow)
        )
    )
  ];
}

const always = (): boolean => true;

function everything({ flow }: Controller): string[] {
  return [...Object.keys(flow.nodes), ...flow.notes.map(note => note.id)];
}

/** What `delete` takes: all but the parameters, which are no node. */
function anything(controller: Controller): boolean {
  const parts = [...chosenThings(controller), ...chosenGroups(controller)];
  return parts.length > 0 || controller.view.get().edges.size > 0;
}

/** Put the selected part on the clipboard; false: it could not be. */
async function copy(controller: Controller): Promise<boolean> {
  const done = await controller.attempt(async () => {
    await controller.services.copy(copyText(controller.flow, chosenThings(controller)));
    return true;
  });
  return done === true;
}

async function paste(controller: Controller): Promise<void> {
  const at = controller.surface?.pointer() ?? [0, 0];
  const text = await controller.attempt(() => controller.services.paste());
  if (text === null) {
    return;
  }
  const trans = translatorOf(controller);
  try {
    const { flow, ids } = pasteText(controller.flow, text, at);
    controller.edit(trans('Paste'), () => flow);
    controller.select(ids);
  } catch (error) {
    controller.services.notify(reasonOf(controller, error), 'warning');
  }
}

function duplicateChosen(controller: Controller): void {
  const { flow, ids } = duplicate(controller.flow, chosenThings(controller));
  controller.edit(translatorOf(controller)('Duplicate'), () => flow);
  controller.select(ids);
}

function remove(controller: Controller): void {
  const edges = controller.view.get().edges;
  const [nodes, notes] = [chosenNodes(controller), chosenNotes(controller)];
  const groups = chosenGroups(controller);
  const change = (flow: Flow): Flow =>
    ungroup(removeNotes(removeNodes(disconnect(flow, edges), nodes), notes), groups);
  attemptEdit(controller, translatorOf(controller)('Delete'), change);
  controller.select([]);
  controller.surface?.focus();
}

/** Keep what the kernel has of the selected nodes' outputs as their pinned values. */
async function pinChosen(controller: Controller): Promise<void> {
  const outputs = chosenNodes(controller).flatMap(id =>
    madePorts(controller, id).map(port => [id, port] as const)
  );
  await Promise.all(outputs.map(([id, port]) => pinOutput(controller, id, port)));
}

/** Pin the value that the kernel has of one output. */
export async function pinOutput(controller: Controller, id: string, port: string): Promise<void> {
  const link = controller.link.get();
  const { scope } = controller.view.get();
  const result =
    link &&
    (await controller.attempt(() =>
      link.request('pin_value', { path: controller.path(id), port })
    ));
  if (result) {
    const label = translatorOf(controller)('Pin outputs');
    const change = (flow: Flow): Flow => pin(flow, id, port, result.value);
    attemptEdit(controller, label, change, undefined, scope);
  }
}
