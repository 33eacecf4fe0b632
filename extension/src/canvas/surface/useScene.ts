/** The scene of the open flow, and what happens to it while the pointer moves things. */
import type { NodeChange, OnNodesChange, OnEdgesChange } from '@xyflow/react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Controller } from '../../core/controller';
import { compare } from '../../core/diff';
import { move } from '../../core/edits/arrange';
import type { Point } from '../../core/edits/nodes';
import { PARAMS, type Flow } from '../../core/flow';
import { placed } from '../../core/places';
import { flowAt } from '../../core/scope';
import { useSelect, useStore } from '../hooks';
import {
  edgeIndex,
  flowId,
  NO_OVERLAY,
  SceneMaker,
  type AnyNode,
  type Compared,
  type GroupNode,
  type Overlay,
  type Scene,
  type Size,
  type Wire
} from './scene';

export interface LiveScene extends Scene {
  readonly flow: Flow;
  readonly onNodesChange: OnNodesChange<AnyNode>;
  readonly onEdgesChange: OnEdgesChange<Wire>;
  /** Write where things were dragged to, as one edit; `also` is part of it. */
  readonly settle: (also?: (flow: Flow) => Flow) => void;
}

/** The flow on the surface. */
export function useFlow(controller: Controller): Flow {
  const root = useStore(controller.document.flow);
  const scope = useSelect(controller.view, view => view.scope);
  return useMemo(() => placed(flowAt(root, scope)), [root, scope]);
}

export function useEditable(controller: Controller): boolean {
  const readOnly = useSelect(controller.document.state, state => state.readOnly);
  const compared = useSelect(controller.view, view => view.compared !== null);
  return !readOnly && !compared;
}

export function useScene(controller: Controller): LiveScene {
  const flow = useFlow(controller);
  const catalog = useStore(controller.catalog);
  const selection = useSelect(controller.view, view => view.selection);
  const selectedEdges = useSelect(controller.view, view => view.edges);
  const compared = useCompared(controller, flow);
  const editable = useEditable(controller);
  const [overlay, setOverlay] = useState<Overlay>(NO_OVERLAY);
  const [maker] = useState(() => new SceneMaker());
  const { trans } = controller.services;
  const scene = useMemo(
    () =>
      maker.make({
        flow,
        catalog,
        selection,
        selectedEdges,
        overlay,
        compared,
        editable,
        label: (id, node, type) => {
          const title = node.title || type?.title || id;
          return title === id ? id : trans('{title}, node {id}', { title, id });
        }
      }),
    [maker, flow, catalog, selection, selectedEdges, overlay, compared, editable, trans]
  );
  const latest = useRef({ scene, overlay });
  useEffect(() => {
    latest.current = { scene, overlay };
  });

  const onNodesChange = useCallback<OnNodesChange<AnyNode>>(
    changes => {
      setOverlay(before => laidOver(before, changes, latest.current.scene));
      select(controller, changes);
    },
    [controller]
  );
  const onEdgesChange = useCallback<OnEdgesChange<Wire>>(
    changes => {
      const edges = new Set(controller.view.get().edges);
      for (const change of changes) {
        if (change.type === 'select') {
          const index = edgeIndex(controller.flow, change.id);
          void (change.selected ? edges.add(index) : edges.delete(index));
        }
      }
      controller.look({ edges });
    },
    [controller]
  );
  const settle = useCallback(
    (also: (flow: Flow) => Flow = same => same) => {
      const { positions } = latest.current.overlay;
      controller.edit(trans('Move'), before => also(moved(before, positions)));
      setOverlay(({ sizes }) => ({ positions: new Map(), sizes }));
    },
    [controller, trans]
  );
  return { ...scene, flow, onNodesChange, onEdgesChange, settle };
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

/** The overlay after React Flow's changes; moving a group's frame moves its nodes. */
function laidOver(before: Overlay, changes: NodeChange<AnyNode>[], scene: Scene): Overlay {
  const positions = new Map(before.positions);
  const sizes = new Map(before.sizes);
  const frames: [GroupNode, Point][] = [];
  const dragged = new Set(changes.flatMap(change => (change.type === 'position' ? change.id : [])));
  for (const change of changes) {
    if (change.type === 'dimensions' && change.dimensions) {
      sizes.set(change.id, [change.dimensions.width, change.dimensions.height] as Size);
    } else if (change.type === 'position' && change.position) {
      const node = scene.nodes.find(found => found.id === change.id);
      const at: Point = [change.position.x, change.position.y];
      if (node?.type === 'frame') {
        frames.push([node, at]);
      } else {
        positions.set(change.id, at);
      }
    }
  }
  for (const [frame, at] of frames) {
    follow(frame, at, positions, dragged, scene);
  }
  return { positions, sizes };
}

/** Move a group's nodes as far as its frame; those that are dragged themselves have moved already. */
function follow(
  frame: GroupNode,
  [x, y]: Point,
  positions: Map<string, Point>,
  dragged: ReadonlySet<string>,
  scene: Scene
): void {
  const [dx, dy] = [x - frame.position.x, y - frame.position.y];
  const members = new Set(frame.data.group.nodes);
  for (const node of scene.nodes) {
    if (members.has(node.id) && !dragged.has(node.id)) {
      positions.set(node.id, [node.position.x + dx, node.position.y + dy]);
    }
  }
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
