/** What a surface shows of a flow that nobody works on. */
import { namesIn } from '../../src/canvas/surface/names';
import { SceneMaker, type Scene } from '../../src/canvas/surface/scene';
import type { Flow } from '../../src/core/flow';
import { translator } from '../../src/core/i18n';
import { catalog } from '../core/flows';

export function sceneOf(flow: Flow): Scene {
  return new SceneMaker().make({
    flow,
    catalog,
    selection: new Set(),
    selectedEdges: new Set(),
    sizes: new Map(),
    compared: null,
    editable: true,
    names: namesIn(translator('en')),
    prefix: 'p'
  });
}
