/** Why something cannot be done now, as a sentence for people; "" when it can. */
import { translatorOf } from '../attempt';
import type { Controller } from '../controller';
import type { Command } from './command';
import { isActive, runState } from './going';
import { chosenNodes, onlyNode } from './selected';

/** A command that changes the flow: it cannot be done where nothing can be edited, and says so. */
export function changing(controller: Controller, command: Command): Command {
  return {
    ...command,
    enabled: () => !controller.readOnly && command.enabled(),
    why: () => whyReadOnly(controller) || (command.why?.() ?? '')
  };
}

export function whyReadOnly(controller: Controller): string {
  const trans = translatorOf(controller);
  const { readOnly, fault } = controller.document.state.get();
  if (fault) {
    return trans('The file cannot be read: correct its text first.');
  }
  if (readOnly) {
    return trans('This flow is read-only.');
  }
  return controller.readOnly ? trans('Stop comparing first: nothing is edited meanwhile.') : '';
}

export function whyNoKernel(controller: Controller): string {
  const trans = translatorOf(controller);
  const status = controller.link.get()?.status.get();
  switch (status) {
    case 'ready':
      return '';
    case 'connecting':
    case 'returning':
      return trans('The kernel is not ready yet.');
    case 'outdated':
      return trans('The kernel has another version of iaiflow-lab; you can edit, but not run.');
    case 'lost':
      return trans('The kernel is gone; what is shown is from before. You can go on editing.');
    default:
      return trans('Choose a kernel to run the flow.');
  }
}

export function whyNoRun(controller: Controller): string {
  const trans = translatorOf(controller);
  if (Object.keys(controller.document.flow.get().nodes).length === 0) {
    return trans('There is nothing to run yet: add a node.');
  }
  const busy = isActive(runState(controller)) ? trans('A run is under way.') : '';
  return whyNoKernel(controller) || busy;
}

/** Fewer nodes or notes are selected than it takes. */
export function whyTooFew(controller: Controller, chosen: number, needed: number): string {
  const trans = translatorOf(controller);
  if (chosen >= needed) {
    return '';
  }
  return needed === 1
    ? trans('Select a node first.')
    : trans('Select at least {count}.', { count: needed });
}

/** The kernel has no output of any selected node. */
export function whyNoOutput(controller: Controller): string {
  const chosen = chosenNodes(controller);
  const isMade = chosen.some(id => madePorts(controller, id).length > 0);
  return (
    whyNoKernel(controller) ||
    whyTooFew(controller, chosen.length, 1) ||
    (isMade ? '' : translatorOf(controller)('Run the node first: it has no output yet.'))
  );
}

/** The kernel has no output of the one selected node. */
export function whyNoOneOutput(controller: Controller): string {
  return onlyNode(controller) === null
    ? translatorOf(controller)('Select one node first.')
    : whyNoOutput(controller);
}

/** The outputs of a node that the kernel has. */
export function madePorts(controller: Controller, id: string): string[] {
  return Object.keys(controller.link.get()?.runs.node(controller.path(id)).outputs ?? {});
}
