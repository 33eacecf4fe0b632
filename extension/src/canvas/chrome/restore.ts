/** Going back to a version of the history. */
import { attemptEdit, translatorOf } from '../../core/attempt';
import type { Controller, View } from '../../core/controller';

/** Make a version the present flow, as one edit that can be undone. */
export function restoreVersion(
  controller: Controller,
  { flow }: NonNullable<View['compared']>
): void {
  controller.look({ compared: null, scope: [], selection: new Set(), edges: new Set() });
  attemptEdit(controller, translatorOf(controller)('Restore a version'), () => flow);
}
