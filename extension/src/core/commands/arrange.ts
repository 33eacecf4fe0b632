/** Putting nodes into order on the surface. */
import { translatorOf } from '../attempt';
import type { Command } from '../commands';
import type { Controller } from '../controller';
import { align, distribute, type Alignment } from '../edits/arrange';
import type { Flow } from '../flow';
import { arrange, type Sizes } from '../layout';
import { chosenNodes } from './selected';

export function arrangeCommands(controller: Controller): Command[] {
  const trans = translatorOf(controller);
  const category = trans('Arrange');
  const atLeast = (count: number) => () =>
    !controller.readOnly && chosenNodes(controller).length >= count;
  const aligned = (how: Alignment, label: string): Command => ({
    id: `align-${how}`,
    label,
    category,
    keys: [],
    enabled: atLeast(2),
    run: () =>
      controller.edit(label, flow => align(flow, chosenNodes(controller), how, sizes(controller)))
  });
  const spread = (axis: 'horizontal' | 'vertical', id: string, label: string): Command => ({
    id,
    label,
    category,
    keys: [],
    enabled: atLeast(3),
    run: () =>
      controller.edit(label, flow =>
        distribute(flow, chosenNodes(controller), axis, sizes(controller))
      )
  });
  return [
    aligned('left', trans('Align left edges')),
    aligned('center', trans('Align centers')),
    aligned('right', trans('Align right edges')),
    aligned('top', trans('Align top edges')),
    aligned('middle', trans('Align middles')),
    aligned('bottom', trans('Align bottom edges')),
    spread('horizontal', 'distribute-horizontally', trans('Distribute horizontally')),
    spread('vertical', 'distribute-vertically', trans('Distribute vertically')),
    {
      id: 'arrange',
      label: trans('Arrange automatically'),
      category,
      keys: ['L'],
      enabled: () => !controller.readOnly && Object.keys(controller.flow.nodes).length > 0,
      run: () => arrangeAll(controller)
    }
  ];
}

function sizes(controller: Controller): Sizes {
  return controller.surface?.sizes() ?? new Map();
}

/** All nodes, or those that are selected when there are several. */
async function arrangeAll(controller: Controller): Promise<void> {
  const chosen = chosenNodes(controller);
  const arranged = await controller.attempt(() =>
    arrange(
      controller.flow,
      sizes(controller),
      controller.elk ?? undefined,
      chosen.length > 1 ? chosen : undefined
    )
  );
  if (arranged) {
    controller.edit(translatorOf(controller)('Arrange automatically'), flow =>
      withLayout(flow, arranged)
    );
    controller.surface?.reveal([]);
  }
}

/** What was edited while the layout was computed stays. */
function withLayout(flow: Flow, arranged: Flow): Flow {
  const known = Object.entries(arranged.layout).filter(([id]) => id in flow.nodes);
  return { ...flow, layout: { ...flow.layout, ...Object.fromEntries(known) } };
}
