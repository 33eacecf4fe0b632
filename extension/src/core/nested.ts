/** Going into the flow inside a node, and out again. */
import { attemptEdit, translatorOf } from './attempt';
import type { Controller } from './controller';
import { setConfig } from './edits/nodes';
import { bodyOf } from './scope';

/** The first field of a node that may hold a flow; null: it has none. */
export function firstBody(controller: Controller, node: string | null): string | null {
  const type = node === null ? undefined : controller.flow.nodes[node]?.type;
  return (type !== undefined && controller.catalog.get().get(type)?.bodies[0]) || null;
}

/** Show the flow inside a node on the surface; one in a file opens where the host opens files. */
export function openBody(controller: Controller, node: string, field: string): void {
  const trans = translatorOf(controller);
  const body = bodyOf(controller.flow.nodes[node], field);
  if (typeof body === 'string') {
    if (controller.services.openFile) {
      controller.services.openFile(body);
    } else {
      controller.services.notify(
        trans('The flow inside is in a file: {path}', { path: body }),
        'info'
      );
    }
    return;
  }
  if (body === null && !startBody(controller, node, field)) {
    return;
  }
  enter(controller, [...controller.view.get().scope, [node, field]]);
}

/** Go back to the flow around the open one; its node is selected. */
export function closeBody(controller: Controller): void {
  const { scope } = controller.view.get();
  const node = scope.at(-1)?.[0];
  enter(controller, scope.slice(0, -1), node === undefined ? [] : [node]);
}

/** Show the nested flow of a scope; [] is the flow itself. */
export function enter(
  controller: Controller,
  scope: readonly (readonly [string, string])[],
  selection: readonly string[] = []
): void {
  controller.look({
    scope,
    selection: new Set(selection),
    edges: new Set(),
    quick: null,
    renaming: null,
    wiring: null
  });
  controller.surface?.reveal(selection);
}

function startBody(controller: Controller, node: string, field: string): boolean {
  if (controller.readOnly) {
    return false;
  }
  return attemptEdit(controller, translatorOf(controller)('Start the flow inside'), flow =>
    setConfig(flow, node, field, { nodes: {}, edges: [] })
  );
}
