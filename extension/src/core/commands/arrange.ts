/** Putting nodes into order on the surface. */
import { translatorOf } from '../attempt';
import type { Controller } from '../controller';
import { align, distribute, type Alignment, type Axis } from '../edits/arrange';
import type { Flow } from '../flow';
import { arrange, type Sizes } from '../layout';
import type { Command } from './command';
import { chosenNodes, chosenThings } from './selected';
import { changing, whyTooFew } from './why';

export function arrangeCommands(controller: Controller): Command[] {
  const trans = translatorOf(controller);
  const category = trans('Arrange');
  const ordering = (
    id: string,
    label: string,
    needed: number,
    change: (flow: Flow) => Flow
  ): Command => {
    const why = (): string => whyTooFew(controller, chosenThings(controller).length, needed);
    return changing(controller, {
      id,
      label,
      category,
      keys: [],
      why,
      enabled: () => why() === '',
      run: () => controller.edit(label, change)
    });
  };
  const aligned = (how: Alignment, label: string): Command =>
    ordering(`align-${how}`, label, 2, flow =>
      align(flow, chosenThings(controller), how, sizes(controller))
    );
  const spread = (axis: Axis, id: string, label: string): Command =>
    ordering(id, label, 3, flow =>
      distribute(flow, chosenThings(controller), axis, sizes(controller))
    );
  return [
    aligned('left', trans('Align left edges')),
    aligned('center', trans('Align centers')),
    aligned('right', trans('Align right edges')),
    aligned('top', trans('Align top edges')),
    aligned('middle', trans('Align middles')),
    aligned('bottom', trans('Align bottom edges')),
    spread('horizontal', 'distribute-horizontally', trans('Distribute horizontally')),
    spread('vertical', 'distribute-vertically', trans('Distribute vertically')),
    changing(controller, {
      id: 'arrange',
      label: trans('Arrange automatically'),
      category,
      keys: ['L'],
      enabled: () => Object.keys(controller.flow.nodes).length > 0,
      run: () => arrangeAll(controller)
    })
  ];
}

function sizes(controller: Controller): Sizes {
  return controller.surface?.sizes() ?? new Map();
}

/** All nodes, or those that are selected when there are several. */
async function arrangeAll(controller: Controller): Promise<void> {
  const chosen = chosenNodes(controller);
  const { scope } = controller.view.get();
  const arranged = await controller.attempt(() =>
    arrange(
      controller.flow,
      sizes(controller),
      controller.elk ?? undefined,
      chosen.length > 1 ? chosen : undefined
    )
  );
  if (arranged) {
    const change = (flow: Flow): Flow => withLayout(flow, arranged);
    const label = translatorOf(controller)('Arrange automatically');
    controller.edit(label, change, undefined, scope);
    if (scope === controller.view.get().scope) {
      controller.surface?.reveal([]);
    }
  }
}

/** What was edited while the layout was computed stays. */
function withLayout(flow: Flow, arranged: Flow): Flow {
  const known = Object.entries(arranged.layout).filter(([id]) => id in flow.nodes);
  return { ...flow, layout: { ...flow.layout, ...Object.fromEntries(known) } };
}
