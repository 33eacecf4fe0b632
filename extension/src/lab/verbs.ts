/** The canvas's commands as JupyterLab's: in the palette, the toolbar, menus and shortcuts. */
import type { CommandRegistry } from '@lumino/commands';
import { commands, type Command } from '../core/commands';
import { Controller } from '../core/controller';
import { FlowDocument } from '../core/document';
import type { Trans } from '../core/i18n';
import type { Services } from '../core/services';

/** Commands that make no sense outside of the canvas itself, where the browser's own keys are. */
const INSIDE: ReadonlySet<string> = new Set(['cut', 'copy', 'paste', 'wire', 'quick-search']);

export interface Verb {
  readonly id: string;
  readonly category: string;
}

/** Register every command; it acts on the canvas that `present` gives. */
export function registerVerbs(
  registry: CommandRegistry,
  trans: Trans,
  present: () => Controller | null
): readonly Verb[] {
  const known = new WeakMap<Controller, Map<string, Command>>();
  const find = (id: string): Command | undefined => {
    const controller = present();
    if (!controller) {
      return undefined;
    }
    const own = known.get(controller) ?? byId(commands(controller));
    known.set(controller, own);
    return own.get(id);
  };
  return blank(trans).map(command => {
    const id = `iaiflow:${command.id}`;
    registry.addCommand(id, {
      label: command.label,
      caption: caption(command),
      isEnabled: () => find(command.id)?.enabled() ?? false,
      isToggled: () => find(command.id)?.toggled?.() ?? false,
      isToggleable: command.toggled !== undefined,
      describedBy: { args: { type: 'object', properties: {}, additionalProperties: false } },
      execute: () => find(command.id)?.run()
    });
    return { id, category: command.category };
  });
}

/** Whether the palette should list a command. */
export function listed({ id }: Verb): boolean {
  return !INSIDE.has(id.replace('iaiflow:', ''));
}

/** The commands of a canvas that shows nothing: their names and labels. */
function blank(trans: Trans): readonly Command[] {
  const services = { trans, kind: 'lab', language: 'en' } as unknown as Services;
  return commands(
    new Controller({ document: new FlowDocument(), services, builtin: new Map(), mode: 'document' })
  );
}

function byId(list: readonly Command[]): Map<string, Command> {
  return new Map(list.map(command => [command.id, command]));
}

function caption({ label, keys }: Command): string {
  return keys[0] ? `${label} (${keys[0].replace('Mod', CommandKey)})` : label;
}

const CommandKey = /Mac/.test(navigator.platform) ? '⌘' : 'Ctrl';
