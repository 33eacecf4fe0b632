/** React Flow, set up for flows. */
import { ConnectionLineType, ReactFlow, SelectionMode } from '@xyflow/react';
import type { RefObject } from 'react';
import { useController, useReadOnly, useSelect } from '../hooks';
import { Breadcrumb } from './Breadcrumb';
import { Card } from './Card';
import { useShared } from './context';
import { Controls } from './Controls';
import { Dangling } from './Dangling';
import { Dots } from './Dots';
import { FlowMap, useMapSize } from './FlowMap';
import { GRID, MOST } from './geometry';
import { GroupFrame } from './GroupFrame';
import { NoteCard } from './NoteCard';
import { ParamsCard } from './ParamsCard';
import type { AnyNode, Wire } from './scene';
import { Strands } from './Strands';
import { useDragging } from './useDragging';
import { useGestures } from './useGestures';
import { useMenus } from './useMenus';
import type { LiveScene } from './useScene';
import { useStillWires } from './useStillWires';
import { useWires } from './useWires';
import { WirePath } from './WirePath';

const NODE_TYPES = { card: Card, params: ParamsCard, note: NoteCard, frame: GroupFrame };
const EDGE_TYPES = { wire: WirePath };
const SNAP: [number, number] = [GRID, GRID];
const ADDING = ['Shift', 'Meta', 'Control'];
const PRO = { hideAttribution: true };

interface Props {
  readonly scene: LiveScene;
  readonly surface: RefObject<HTMLDivElement>;
  /** Whether the wheel moves the view. */
  readonly wheel: boolean;
}

export function Graph({ scene, surface, wheel }: Props) {
  const controller = useController();
  const shared = useShared();
  const editable = !useReadOnly(controller);
  const snap = useSelect(controller.view, view => view.snap);
  const menus = useMenus(shared, useStillWires(scene.resting));
  const gestures = useGestures(shared);
  const wires = useWires(shared, surface);
  const drag = useDragging(shared, surface, scene.settle);
  return (
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
      snapToGrid={snap}
      snapGrid={SNAP}
      minZoom={0.05}
      maxZoom={2}
      selectionMode={SelectionMode.Partial}
      multiSelectionKeyCode={ADDING}
      selectionKeyCode="Shift"
      deleteKeyCode={null}
      zoomOnDoubleClick={false}
      zoomOnScroll={wheel}
      preventScrolling={wheel}
      disableKeyboardA11y
      elevateNodesOnSelect
      onlyRenderVisibleElements={scene.nodes.length > MOST}
      proOptions={PRO}
    >
      <Layers scene={scene} />
    </ReactFlow>
  );
}

/** What lies below and above the cards. */
function Layers({ scene }: { readonly scene: LiveScene }) {
  const { view } = useController();
  const wanted = useSelect(view, ({ minimap }) => minimap);
  const map = useMapSize();
  return (
    <>
      <Dots />
      <Strands {...scene.resting} />
      <Strands {...scene.dragged} />
      {wanted && map && scene.nodes.length > 1 && <FlowMap nodes={scene.still.nodes} size={map} />}
      <Dangling />
      <Controls />
      <Breadcrumb />
    </>
  );
}

/** The surface around it is the application, with a name; one in another would confuse. */
function withoutRole(element: HTMLDivElement | null): void {
  element?.removeAttribute('role');
}
