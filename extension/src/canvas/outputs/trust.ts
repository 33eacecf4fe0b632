/** Which outputs may be interactive. */
import type { Controller } from '../../core/controller';
import type { Hello } from '../../core/link';
import type { NodeState } from '../../core/protocol';

/** Sources of outputs that this kernel made for the present run; what an earlier one left is not. */
const OWN: ReadonlySet<string> = new Set(['executed', 'cache']);

/** Whether this kernel made the outputs, and has run nothing from a flow that nobody trusts. */
export function madeNow(info: Hello | null, { attempt, source }: NodeState): boolean {
  const isUnderWay = source === '' && attempt > 0;
  return info?.trusted === true && (isUnderWay || OWN.has(source));
}

/** As `madeNow`, for a node of the kernel that a canvas has. */
export function trustedAt(controller: Controller, path: string): boolean {
  const link = controller.link.get();
  return link !== null && madeNow(link.info.get(), link.runs.node(path));
}
