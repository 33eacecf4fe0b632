/** Which outputs may be interactive. */
import type { Controller } from '../../core/controller';
import type { Hello } from '../../core/link';
import type { NodeState } from '../../core/protocol';

/** Sources of outputs that this kernel made in the present run. */
const NOW: ReadonlySet<string> = new Set(['executed', 'cache', '']);

/** Whether this kernel made the outputs now, and has run nothing from a flow that nobody trusts. */
export function madeNow(info: Hello | null, state: NodeState): boolean {
  return info?.trusted === true && state.attempt > 0 && NOW.has(state.source);
}

/** As `madeNow`, for a node of the kernel that a canvas has. */
export function trustedAt(controller: Controller, path: string): boolean {
  const link = controller.link.get();
  return link !== null && madeNow(link.info.get(), link.runs.node(path));
}
