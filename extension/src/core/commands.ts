/** Every verb of the canvas, for buttons, keys, menus and the command list. */
import type { Controller } from './controller';

export interface Command {
  readonly id: string;
  /** In the language of the host. */
  readonly label: string;
  readonly category: string;
  /** Such as `Mod+D`; `Mod` is Command on macOS and Control elsewhere. */
  readonly keys: readonly string[];
  enabled(): boolean;
  run(): void | Promise<void>;
  /** Whether what it switches is on; absent: it switches nothing. */
  toggled?(): boolean;
}

/** The commands of one canvas. */
export function commands(controller: Controller): Command[] {
  return [];
}
