/** Groups, subflows and what stands around nodes. */
import { attemptEdit, reasonOf, translatorOf } from '../attempt';
import type { Controller, Wire } from '../controller';
import { extract, inline } from '../edits/extract';
import { group, ungroup } from '../edits/groups';
import { addNote } from '../edits/notes';
import { PARAMS } from '../flow';
import { outputsOf } from '../ports';
import type { Command } from './command';
import { chosenGroups, chosenMembers, chosenNodes, onlyNode } from './selected';
import { changing } from './why';

export function structureCommands(controller: Controller): Command[] {
  const trans = translatorOf(controller);
  const category = trans('Structure');
  const some = (): boolean => chosenNodes(controller).length > 0;
  const only = (): string | null => onlyNode(controller);
  const command = (
    id: string,
    label: string,
    keys: string[],
    enabled: () => boolean,
    run: () => void
  ): Command => ({ id, label, category, keys, enabled, run });
  const change = (...given: Parameters<typeof command>): Command =>
    changing(controller, command(...given));
  return [
    change('group', trans('Group'), ['Mod+G'], some, () => groupChosen(controller)),
    change(
      'ungroup',
      trans('Ungroup'),
      ['Mod+Shift+G'],
      () => grouped(controller).length > 0,
      () => controller.edit(trans('Ungroup'), flow => ungroup(flow, grouped(controller)))
    ),
    change(
      'extract',
      trans('Extract to subflow'),
      ['Mod+Shift+E'],
      () => chosenMembers(controller).length > 0,
      () => extractChosen(controller)
    ),
    change(
      'inline',
      trans('Dissolve subflow'),
      [],
      () => controller.flow.nodes[only() ?? '']?.type === 'subflow',
      () => inlineChosen(controller, only() ?? '')
    ),
    command(
      'open-body',
      trans('Open the flow inside'),
      ['Mod+ArrowDown'],
      () => firstBody(controller, only()) !== null,
      () => {
        const [node, field] = [only(), firstBody(controller, only())];
        if (node !== null && field !== null) {
          controller.openBody(node, field);
        }
      }
    ),
    command(
      'close-body',
      trans('Back to the outer flow'),
      ['Mod+ArrowUp'],
      () => controller.view.get().scope.length > 0,
      () => controller.closeBody()
    ),
    change(
      'add-note',
      trans('Add a note'),
      ['N'],
      () => true,
      () => {
        const at = controller.surface?.pointer() ?? [0, 0];
        const { flow, id } = addNote(controller.flow, at, '');
        controller.edit(trans('Add a note'), () => flow);
        controller.select([id]);
        controller.look({ renaming: id });
      }
    ),
    change(
      'wire',
      trans('Connect with the keyboard'),
      ['W'],
      () => firstOutput(controller) !== null,
      () => controller.look({ wiring: firstOutput(controller) })
    )
  ];
}

/** What `ungroup` takes: groups themselves, and nodes that are in one. */
function grouped(controller: Controller): string[] {
  const members = new Set(controller.flow.groups.flatMap(({ nodes }) => nodes));
  return [...chosenGroups(controller), ...chosenNodes(controller).filter(id => members.has(id))];
}

function groupChosen(controller: Controller): void {
  const trans = translatorOf(controller);
  const { flow, id } = group(controller.flow, chosenNodes(controller), trans('Group'));
  controller.edit(trans('Group'), () => flow);
  controller.look({ renaming: id });
}

function extractChosen(controller: Controller): void {
  const trans = translatorOf(controller);
  try {
    const { flow, id } = extract(
      controller.flow,
      controller.catalog.get(),
      chosenMembers(controller),
      'subflow'
    );
    controller.edit(trans('Extract to subflow'), () => flow);
    controller.look({ selection: new Set([id]), edges: new Set(), renaming: id });
  } catch (error) {
    controller.services.notify(reasonOf(controller, error), 'warning');
  }
}

function inlineChosen(controller: Controller, node: string): void {
  let made: string[] = [];
  const done = attemptEdit(controller, translatorOf(controller)('Dissolve subflow'), flow => {
    const { flow: next, ids } = inline(flow, controller.catalog.get(), node);
    made = ids;
    return next;
  });
  if (done) {
    controller.select(made);
  }
}

/** The first field of a node that may hold a flow; null: it has none. */
function firstBody(controller: Controller, node: string | null): string | null {
  const type = node === null ? undefined : controller.flow.nodes[node]?.type;
  return (type !== undefined && controller.catalog.get().get(type)?.bodies[0]) || null;
}

/** Where a wire starts first: at the only selected node, or at the flow's parameters. */
function firstOutput(controller: Controller): Wire | null {
  const { selection } = controller.view.get();
  const node = selection.size === 1 && selection.has(PARAMS) ? PARAMS : onlyNode(controller);
  const ports = node === null ? [] : outputsOf(controller.flow, node, controller.catalog.get());
  const [first] = ports;
  return node === null || !first ? null : { node, port: first.name, side: 'output' };
}
