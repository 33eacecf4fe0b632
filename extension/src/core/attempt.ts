/** Doing what may be refused: the reason is shown in the reader's language, nothing is thrown. */
import type { Controller } from './controller';
import type { Trans } from './i18n';
import { EditError } from './sentence';

/** The translator of a canvas's host. */
export function translatorOf(controller: Controller): Trans {
  return (message, values) => controller.services.trans(message, values);
}

/** Why something failed, for people. */
export function reasonOf(controller: Controller, error: unknown): string {
  if (error instanceof EditError) {
    return controller.services.trans(error.sentence.message, error.sentence.values);
  }
  return error instanceof Error ? error.message : String(error);
}

/** `Controller.edit`; false: it was refused, and the person was told why. */
export function attemptEdit(
  controller: Controller,
  ...edit: Parameters<Controller['edit']>
): boolean {
  try {
    controller.edit(...edit);
    return true;
  } catch (error) {
    controller.services.notify(reasonOf(controller, error), 'warning');
    return false;
  }
}
