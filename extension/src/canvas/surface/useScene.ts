/** The scene of the open flow, and what happens to it while the pointer moves things. */
import type { NodeChange, OnNodesChange, OnEdgesChange } from '@xyflow/react';
import { useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react';
import type { Controller } from '../../core/controller';
import { compare } from '../../core/diff';
import { move } from '../../core/edits/arrange';
import type { Point } from '../../core/edits/nodes';
import { PARAMS, type Flow } from '../../core/flow';
import { placed } from '../../core/places';
import { flowAt } from '../../core/scope';
import { useFlow } from '../chrome/use';
import { useReadOnly, useSelect, useStore } from '../hooks';
import { PrefixContext } from './context';
import { namesIn } from './names';
import { laidOver } from './overlay';
import {
  edgeIndex,
  flowId,
  NO_OVERLAY,
  SceneMaker,
  type AnyNode,
  type Compared,
  type Overlay,
  type Scene,
  type Wire
} from './scene';
import { useDrawing, type Drawing } from './useDrawing';

export interface LiveScene extends Drawing {
  readonly flow: Flow;
  /** Everything where it is in the document. */
  readonly still: Scene;
  readonly onNodesChange: OnNodesChange<AnyNode>;
  readonly onEdgesChange: OnEdgesChange<Wire>;
  /** Write where things were dragged to, as one edit; `also` is part of it. */
  readonly settle: (also?: (flow: Flow) => Flow) => void;
}

/** @param far whether the flow is seen from so far that its cards are plain */
export function useScene(controller: Controller, far: boolean): LiveScene {
  const flow = useFlow(controller);
  const catalog = useStore(controller.catalog);
  const selection = useSelect(controller.view, view => view.selection);
  const selectedEdges = useSelect(controller.view, view => view.edges);
  const compared = useCompared(controller, flow);
  const editable = !useReadOnly(controller);
  const [overlay, setOverlay] = useState<Overlay>(NO_OVERLAY);
  const { positions, sizes } = overlay;
  const [maker] = useState(() => new SceneMaker());
  const { trans } = controller.services;
  const prefix = useContext(PrefixContext);
  const names = useMemo(() => namesIn(trans), [trans]);
  const still = useMemo(
    () =>
      maker.make({
        flow,
        catalog,
        selection,
        selectedEdges,
        sizes,
        compared,
        editable,
        names,
        prefix
      }),
    [maker, flow, catalog, selection, selectedEdges, sizes, compared, editable, names, prefix]
  );
  const drawing = useDrawing(still, positions, { flow, selection, editable, names }, far);
  const latest = useRef({ nodes: drawing.nodes, overlay });
  useEffect(() => {
    latest.current.nodes = drawing.nodes;
  });
  // What is dragged may be dropped before it was drawn where it is.
  const lay = useCallback((next: Overlay) => {
    latest.current.overlay = next;
    setOverlay(next);
  }, []);

  const onNodesChange = useCallback<OnNodesChange<AnyNode>>(
    changes => {
      lay(laidOver(latest.current.overlay, changes, latest.current.nodes));
      select(controller, changes);
    },
    [controller, lay]
  );
  const onEdgesChange = useCallback<OnEdgesChange<Wire>>(
    changes => {
      const edges = new Set(controller.view.get().edges);
      for (const change of changes) {
        if (change.type === 'select') {
          const index = edgeIndex(controller.flow, change.id);
          void (change.selected && index >= 0 ? edges.add(index) : edges.delete(index));
        }
      }
      controller.look({ edges });
    },
    [controller]
  );
  const settle = useCallback(
    (also: (flow: Flow) => Flow = same => same) => {
      const { positions, sizes } = latest.current.overlay;
      controller.edit(trans('Move'), before => also(moved(before, positions)));
      lay({ positions: new Map(), sizes });
    },
    [controller, trans, lay]
  );
  return { ...drawing, still, flow, onNodesChange, onEdgesChange, settle };
}

function useCompared(controller: Controller, flow: Flow): Compared | null {
  const compared = useSelect(controller.view, view => view.compared);
  const scope = useSelect(controller.view, view => view.scope);
  return useMemo(() => {
    if (!compared) {
      return null;
    }
    const before = placed(flowAt(compared.flow, scope));
    const { nodes, edges } = compare(before, flow);
    return { flow: before, nodes, edges };
  }, [compared, scope, flow]);
}

function select(controller: Controller, changes: NodeChange<AnyNode>[]): void {
  const selection = new Set(controller.view.get().selection);
  let changed = false;
  for (const change of changes) {
    if (change.type === 'select' && selection.has(flowId(change.id)) !== change.selected) {
      changed = true;
      void (change.selected
        ? selection.add(flowId(change.id))
        : selection.delete(flowId(change.id)));
    }
  }
  if (changed) {
    controller.look({ selection });
  }
}

function moved(flow: Flow, positions: ReadonlyMap<string, Point>): Flow {
  const next = move(flow, new Map([...positions].map(([key, at]) => [flowId(key), at])));
  const params = positions.get(PARAMS);
  return params
    ? {
        ...next,
        layout: { ...next.layout, [PARAMS]: [Math.round(params[0]), Math.round(params[1])] }
      }
    : next;
}
