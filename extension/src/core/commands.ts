/** Every verb of the canvas, for buttons, keys, menus and the command list. */
import { arrangeCommands } from './commands/arrange';
import type { Command } from './commands/command';
import { editCommands } from './commands/edit';
import { lookCommands } from './commands/look';
import { runCommands } from './commands/run';
import { structureCommands } from './commands/structure';
import type { Controller } from './controller';
import { pressed, type KeyPress } from './keys';

export type { Command };

/** The commands of one canvas. */
export function commands(controller: Controller): Command[] {
  return [
    ...runCommands(controller),
    ...editCommands(controller),
    ...structureCommands(controller),
    ...arrangeCommands(controller),
    ...lookCommands(controller)
  ];
}

/** The command that a key press means; undefined: none, or one that is not enabled now. */
export function commandFor(list: readonly Command[], event: KeyPress): Command | undefined {
  return list.find(command => command.keys.some(keys => pressed(keys, event)) && command.enabled());
}

/** Why a key press does nothing now, where its command says so; "" when there is nothing to say. */
export function refusalFor(list: readonly Command[], event: KeyPress): string {
  const meant = list.filter(command => command.keys.some(keys => pressed(keys, event)));
  return meant.some(command => command.enabled())
    ? ''
    : (meant.map(command => command.why?.() ?? '').find(Boolean) ?? '');
}
