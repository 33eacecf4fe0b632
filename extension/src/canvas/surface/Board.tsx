/** React Flow, set up for flows. */
import { ConnectionLineType, ReactFlow, SelectionMode } from '@xyflow/react';
import { useCallback, useContext, useMemo, useRef, useState, type MouseEvent } from 'react';
import type { Controller } from '../../core/controller';
import { splice } from '../../core/edits/edges';
import { PARAMS, type Flow } from '../../core/flow';
import { InlineContext, useController, useReadOnly, useSelect, useStore } from '../hooks';
import { Breadcrumb } from './Breadcrumb';
import { Card } from './Card';
import { FarContext, PrefixContext, useShared } from './context';
import { Controls } from './Controls';
import { Dangling } from './Dangling';
import { Dots } from './Dots';
import { FlowMap, useMapSize } from './FlowMap';
import { GRID, MANY, MOST } from './geometry';
import { GroupFrame } from './GroupFrame';
import type { MenuAt, Shared } from './lights';
import { Menu } from './Menu';
import { NoteCard } from './NoteCard';
import { ParamsCard } from './ParamsCard';
import { Refusal } from './Refusal';
import { boxOf, edgeIndex, flowId, isCard, type AnyNode, type Wire } from './scene';
import { wireUnder } from './splice';
import { Strands } from './Strands';
import { useDistance, type Distance } from './useDistance';
import { useDoor } from './useDoor';
import { useDrops } from './useDrops';
import { useFit } from './useFit';
import { useInSight } from './useInSight';
import { useKeys } from './useKeys';
import { useRefocus } from './useRefocus';
import { useScene } from './useScene';
import { useStillWires, type FindWire } from './useStillWires';
import { useWires } from './useWires';
import { WirePath } from './WirePath';
import { WirePicker } from './WirePicker';

const NODE_TYPES = { card: Card, params: ParamsCard, note: NoteCard, frame: GroupFrame };
const EDGE_TYPES = { wire: WirePath };
const SNAP: [number, number] = [GRID, GRID];
const ADDING = ['Shift', 'Meta', 'Control'];
const PRO = { hideAttribution: true };

export function Board() {
  const controller = useController();
  const shared = useShared();
  const { trans } = controller.services;
  const wrapper = useRef<HTMLDivElement>(null);
  const prefix = useContext(PrefixContext);
  const distance = useDistance();
  const far = distance !== 'near';
  const scene = useScene(controller, far);
  const editable = !useReadOnly(controller);
  const view = useViewParts(controller);
  const menus = useMenus(shared, useStillWires(scene.resting));
  const gestures = useGestures(shared);
  const map = useMapSize();
  const nudge = useNudge(controller);
  const onKeyDown = useKeys(shared, nudge);
  const wires = useWires(shared, wrapper);
  const drag = useDragging(shared, wrapper, scene.settle);
  const wheel = useWheel();
  useDoor(controller, wrapper);
  useDrops(shared, wrapper);
  useFit(view.scope, scene.nodes);
  useInSight(controller, wrapper);
  useRefocus(wrapper, scene.nodes);

  return (
    <div
      ref={wrapper}
      className="iai-surface"
      data-far={far ? lookOf(distance, scene.nodes.length) : undefined}
      data-wiring={view.lit || undefined}
      data-gesture={view.gesture ?? undefined}
      data-read-only={!editable || undefined}
      role="application"
      aria-roledescription={trans('flow editor')}
      aria-label={trans('Flow {name}', { name: scene.flow.name })}
      aria-describedby={`${prefix}-help`}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onFocus={wheel.onFocus}
      onBlur={wheel.onBlur}
      onDoubleClick={event => searchAt(event, controller)}
    >
      <FarContext.Provider value={far}>
        <ReactFlow<AnyNode, Wire>
          ref={withoutRole}
          nodes={scene.nodes as AnyNode[]}
          edges={scene.edges as Wire[]}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          onNodesChange={scene.onNodesChange}
          onEdgesChange={scene.onEdgesChange}
          {...wires}
          {...drag}
          {...menus}
          {...gestures}
          connectionLineType={ConnectionLineType.Bezier}
          connectionRadius={28}
          nodesDraggable={editable}
          nodesConnectable={editable}
          edgesReconnectable={editable}
          edgesFocusable={false}
          snapToGrid={view.snap}
          snapGrid={SNAP}
          minZoom={0.05}
          maxZoom={2}
          selectionMode={SelectionMode.Partial}
          multiSelectionKeyCode={ADDING}
          selectionKeyCode="Shift"
          deleteKeyCode={null}
          zoomOnDoubleClick={false}
          zoomOnScroll={wheel.active}
          preventScrolling={wheel.active}
          disableKeyboardA11y
          elevateNodesOnSelect
          onlyRenderVisibleElements={scene.nodes.length > MOST}
          proOptions={PRO}
        >
          <Dots />
          <Strands {...scene.resting} />
          <Strands {...scene.dragged} />
          {view.minimap && map && scene.nodes.length > 1 && (
            <FlowMap nodes={scene.still.nodes} size={map} />
          )}
          <Dangling />
          <Controls />
          <Breadcrumb />
        </ReactFlow>
      </FarContext.Provider>
      <WirePicker />
      <Refusal />
      <Menu />
      <Hints id={`${prefix}-help`} empty={scene.nodes.length === 0 && editable} />
    </div>
  );
}

/** The surface around it is the application, with a name; one in another would confuse. */
function withoutRole(element: HTMLDivElement | null): void {
  element?.removeAttribute('role');
}

/** In a small flow names are legible even from far away. */
function lookOf(distance: Distance, count: number): string {
  return distance === 'tiny' && count <= MANY ? 'small' : distance;
}

function useViewParts(controller: Controller) {
  const shared = useShared();
  return {
    scope: useSelect(controller.view, view => view.scope),
    snap: useSelect(controller.view, view => view.snap),
    minimap: useSelect(controller.view, view => view.minimap),
    lit: useSelect(shared.lights, lights => lights !== null),
    gesture: useStore(shared.gesture)
  };
}

/** In a notebook the page scrolls under the pointer until the canvas has the focus. */
function useWheel() {
  const inline = useContext(InlineContext);
  const [focused, setFocused] = useState(false);
  return {
    active: !inline || focused,
    onFocus: () => setFocused(true),
    onBlur: (event: React.FocusEvent<HTMLElement>) =>
      setFocused(event.currentTarget.contains(event.relatedTarget))
  };
}

/** Moving what is selected by the keyboard, in steps that undo together. */
function useNudge(controller: Controller) {
  return useCallback(
    ([dx, dy]: readonly [number, number]): void => {
      const { selection } = controller.view.get();
      const { trans } = controller.services;
      controller.edit(
        trans('Move'),
        flow => {
          const layout = { ...flow.layout };
          for (const id of Object.keys(flow.nodes).filter(node => selection.has(node))) {
            const [x, y] = layout[id] ?? [0, 0];
            layout[id] = [x + dx, y + dy];
          }
          const notes = flow.notes.map(note =>
            selection.has(note.id) ? { ...note, x: note.x + dx, y: note.y + dy } : note
          );
          return { ...flow, layout, notes };
        },
        'nudge'
      );
    },
    [controller]
  );
}

/** One edit at the end of a drag; a lone node that is dropped onto a wire goes into it. */
function useDragging(
  shared: Shared,
  wrapper: React.RefObject<HTMLDivElement>,
  settle: (also?: (flow: Flow) => Flow) => void
) {
  const { controller } = shared;
  const onNodeDrag = useCallback(
    (_event: unknown, node: AnyNode, nodes: AnyNode[]) => {
      const lone = nodes.length === 1 && isCard(node.id) && isUnwired(controller.flow, node.id);
      const wire = lone && wrapper.current && wireUnder(wrapper.current, boxOf(node));
      const goes =
        wire &&
        splice(
          controller.flow,
          controller.catalog.get(),
          edgeIndex(controller.flow, wire),
          node.id
        );
      shared.splice.set(goes && wire ? wire : null);
    },
    [shared, controller, wrapper]
  );
  const onNodeDragStop = useCallback(
    (_event: unknown, node: AnyNode | undefined) => {
      const wire = shared.splice.get();
      shared.splice.set(null);
      settle(flow =>
        wire && node
          ? (splice(flow, controller.catalog.get(), edgeIndex(flow, wire), node.id) ?? flow)
          : flow
      );
    },
    [shared, controller, settle]
  );
  const onSelectionDragStop = useCallback(() => settle(), [settle]);
  return { onNodeDrag, onNodeDragStop, onSelectionDragStop };
}

function isUnwired(flow: Flow, id: string): boolean {
  return !flow.edges.some(edge => edge.source === id || edge.target === id);
}

/** A double click on empty surface asks for a node. */
function searchAt(event: MouseEvent<HTMLElement>, controller: Controller): void {
  const target = event.target as HTMLElement;
  if (target.classList.contains('react-flow__pane') && controller.surface && !controller.readOnly) {
    const box = event.currentTarget.getBoundingClientRect();
    const screen = [event.clientX - box.x, event.clientY - box.y] as const;
    controller.look({ quick: { at: controller.surface.pointer(), screen, wire: null } });
  }
}

/** Tells how the view is being moved. */
function useGestures(shared: Shared) {
  return useMemo(
    () => ({
      onMoveStart: (event: unknown) =>
        shared.gesture.set(event === null || event instanceof WheelEvent ? 'zoom' : 'pan'),
      onMoveEnd: () => shared.gesture.set(null)
    }),
    [shared]
  );
}

/** Always the same functions: a new one would draw every node and wire again. */
function useMenus(shared: Shared, wireAt: FindWire) {
  return useMemo(
    () => ({
      onNodeContextMenu: (event: MouseEvent, node: AnyNode) => openMenu(event, shared, node),
      onEdgeContextMenu: (event: MouseEvent, edge: Wire) => openMenu(event, shared, edge),
      onPaneContextMenu: (event: unknown) =>
        openMenu(event as MouseEvent, shared, wireAt(event as MouseEvent)),
      onSelectionContextMenu: (event: MouseEvent) => openMenu(event, shared, 'selection'),
      onNodeDoubleClick: (_event: unknown, node: AnyNode) => openNode(shared.controller, node),
      onPaneClick: (event: MouseEvent) => {
        const { controller } = shared;
        controller.look({ quick: null });
        const wire = wireAt(event);
        if (wire) {
          controller.select([], [edgeIndex(controller.flow, wire.id)]);
        }
      }
    }),
    [shared, wireAt]
  );
}

/** A double click on a card opens its only body, or else its setup. */
function openNode(controller: Controller, { id }: AnyNode): void {
  const [body, ...others] =
    controller.catalog.get().get(controller.flow.nodes[id]?.type ?? '')?.bodies ?? [];
  if (isCard(id) && body !== undefined && others.length === 0) {
    controller.openBody(id, body);
  } else if (isCard(id) || id === PARAMS) {
    controller.toggle('inspector', true);
  }
}

function openMenu(
  event: MouseEvent,
  shared: Shared,
  target: AnyNode | Wire | 'selection' | null
): void {
  event.preventDefault();
  event.stopPropagation();
  const { controller } = shared;
  const surface = (event.target as Element).closest('.iai-surface');
  const box = surface?.getBoundingClientRect();
  let about: MenuAt['about'] = 'surface';
  if (target === 'selection') {
    about = 'node';
  } else if (target && 'source' in target) {
    about = 'edge';
    controller.select([], [edgeIndex(controller.flow, target.id)]);
  } else if (target) {
    about = target.type === 'note' ? 'note' : target.type === 'frame' ? 'group' : 'node';
    if (!controller.view.get().selection.has(flowId(target.id))) {
      controller.select([flowId(target.id)]);
    }
  }
  shared.menu.set({ x: event.clientX - (box?.x ?? 0), y: event.clientY - (box?.y ?? 0), about });
}

/** What screen readers are told about the surface, and what an empty one says to everybody. */
function Hints({ id, empty }: { readonly id: string; readonly empty: boolean }) {
  const controller = useController();
  const { trans } = controller.services;
  return (
    <>
      <div className="iai-hidden" id={id}>
        {trans(
          'Press Enter or an arrow key to go to a node, arrow keys to go on, W to connect, slash to add a node, question mark for all commands.'
        )}
      </div>
      {empty && (
        <div className="iai-empty">
          <p className="iai-empty-title">{trans('Nothing here yet')}</p>
          <p>{trans('Double-click, or press / to add a node. Drag one from the palette.')}</p>
        </div>
      )}
    </>
  );
}
