/** How a canvas is usually written, to compare with: status in node data, one render per message. */
import {
  Handle,
  Position,
  ReactFlow,
  useNodesState,
  type Edge,
  type Node,
  type NodeProps
} from '@xyflow/react';
import { useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import type { Flow } from '../core/flow';
import type { NodeState } from '../core/protocol';
import type { LoadEvent } from './load';

type Status = Partial<NodeState> & { readonly label: string };
type StatusNode = Node<Status>;

export interface Naive {
  send(events: readonly LoadEvent[]): void;
  /** Bring all of it into sight. */
  fit(): void;
  dispose(): void;
}

/** Show a flow the naive way. */
export function mountNaive(element: HTMLElement, flow: Flow): Naive {
  const nodes: StatusNode[] = Object.keys(flow.nodes).map(id => {
    const [x = 0, y = 0] = flow.layout[id] ?? [];
    return { id, type: 'status', position: { x, y }, data: { label: id } };
  });
  const edges: Edge[] = flow.edges.map(({ source, target }) => ({
    id: `${source}-${target}`,
    source,
    target
  }));
  const door: Door = { send: () => undefined, fit: () => undefined };
  const root = createRoot(element);
  root.render(<NaiveFlow nodes={nodes} edges={edges} door={door} />);
  return {
    send: events => door.send(events),
    fit: () => door.fit(),
    dispose: () => root.unmount()
  };
}

type Door = Pick<Naive, 'send' | 'fit'>;

interface Props {
  readonly nodes: StatusNode[];
  readonly edges: Edge[];
  readonly door: Door;
}

const TYPES = { status: StatusCard };

function NaiveFlow({ nodes: first, edges, door }: Props) {
  const [nodes, setNodes, onNodesChange] = useNodesState(first);
  useEffect(() => {
    Object.assign(door, {
      send: (events: readonly LoadEvent[]) => {
        const changes = new Map(events);
        setNodes(shown =>
          shown.map(node =>
            changes.has(node.id)
              ? { ...node, data: { ...node.data, ...changes.get(node.id) } }
              : node
          )
        );
      }
    });
  }, [door, setNodes]);
  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      nodeTypes={TYPES}
      onNodesChange={onNodesChange}
      onInit={({ fitView }) => Object.assign(door, { fit: () => void fitView() })}
      minZoom={0.01}
      fitView
    />
  );
}

function StatusCard({ data }: NodeProps<StatusNode>) {
  return (
    <div style={{ width: 200, padding: 8, border: '1px solid gray' }}>
      <Handle type="target" position={Position.Left} />
      <b>{data.label}</b>
      <div>{data.state}</div>
      <progress value={data.share ?? 0} />
      <div>{data.text}</div>
      <Handle type="source" position={Position.Right} />
    </div>
  );
}
