/** Wires drawn with the pointer. */
import {
  useReactFlow,
  type Connection,
  type FinalConnectionState,
  type IsValidConnection,
  type OnConnectStart,
  type ReactFlowInstance
} from '@xyflow/react';
import { useMemo, type RefObject } from 'react';
import { attemptEdit } from '../../core/attempt';
import type { Wire as End } from '../../core/controller';
import { attach, connect, disconnect } from '../../core/edits/edges';
import type { Flow } from '../../core/flow';
import { treeOf } from '../dom';
import type { Lights, Shared } from './lights';
import { edgeIndex, isCard, type AnyNode, type Wire } from './scene';

export interface Wiring {
  readonly isValidConnection: IsValidConnection<Wire>;
  readonly onConnect: (connection: Connection) => void;
  readonly onConnectStart: OnConnectStart;
  readonly onConnectEnd: (event: MouseEvent | TouchEvent, state: FinalConnectionState) => void;
  readonly onReconnect: (old: Wire, connection: Connection) => void;
  readonly onReconnectStart: (event: unknown, edge: Wire) => void;
  readonly onReconnectEnd: (
    event: MouseEvent | TouchEvent,
    edge: Wire,
    side: unknown,
    state: FinalConnectionState
  ) => void;
}

export function useWires(shared: Shared, wrapper: RefObject<HTMLDivElement>): Wiring {
  const rf = useReactFlow<AnyNode, Wire>();
  return useMemo(() => wiringOf(shared, rf, wrapper), [shared, rf, wrapper]);
}

function wiringOf(
  shared: Shared,
  rf: ReactFlowInstance<AnyNode, Wire>,
  wrapper: RefObject<HTMLDivElement>
): Wiring {
  const { controller } = shared;
  const { trans } = controller.services;
  let rewiring: Wire | null = null;
  const without = (edge: Wire): Flow => {
    const { flow } = controller;
    return disconnect(flow, [edgeIndex(flow, edge.id)]);
  };

  const refuse = (event: MouseEvent | TouchEvent, text: string): void => {
    const box = wrapper.current?.getBoundingClientRect();
    const { x, y } = pointOf(event);
    shared.refusal.set({ x: x - (box?.x ?? 0), y: y - (box?.y ?? 0), text });
    controller.say(text);
  };
  const dropOnNode = (event: MouseEvent | TouchEvent, lights: Lights, node: string): void => {
    const catalog = controller.catalog.get();
    if (node === lights.from.node) {
      return;
    }
    if (isCard(node) && attach(controller.flow, catalog, lights.from, node)) {
      attemptEdit(
        controller,
        trans('Connect'),
        flow => attach(flow, catalog, lights.from, node) ?? flow
      );
    } else {
      refuse(event, trans('No port of {node} fits.', { node }));
    }
  };
  const search = (event: MouseEvent | TouchEvent, wire: End): void => {
    const box = wrapper.current?.getBoundingClientRect();
    const { x, y } = pointOf(event);
    const at = rf.screenToFlowPosition({ x, y });
    controller.look({
      quick: { at: [at.x, at.y], screen: [x - (box?.x ?? 0), y - (box?.y ?? 0)], wire }
    });
  };
  const finish = (event: MouseEvent | TouchEvent, state: FinalConnectionState): void => {
    const lights = shared.lights.get();
    shared.lights.set(null);
    if (!lights || state.isValid) {
      return;
    }
    const end = state.toHandle && endOf(state.toHandle);
    if (end) {
      const { reason, values } = lights.verdict(end);
      refuse(event, trans(reason, values));
      return;
    }
    const node = nodeUnder(wrapper.current, event);
    if (node !== null) {
      dropOnNode(event, lights, node);
    } else if (!controller.readOnly) {
      search(event, lights.from);
    }
  };

  return {
    isValidConnection: connection => {
      const lights = shared.lights.get();
      const [source, target] = endsOf(connection);
      const far = lights?.from.side === 'input' ? source : target;
      return lights?.verdict(far).ok ?? false;
    },
    onConnect: connection => {
      if (!rewiring) {
        attemptEdit(controller, trans('Connect'), flow =>
          connect(flow, ...endsOf(connection), controller.catalog.get())
        );
      }
    },
    onConnectStart: (_event, { nodeId, handleId, handleType }) => {
      if (nodeId !== null && handleId !== null) {
        const side = handleType === 'target' ? 'input' : 'output';
        shared.light(
          { node: nodeId, port: handleId, side },
          rewiring ? without(rewiring) : undefined
        );
      }
    },
    onConnectEnd: (event, state) => {
      if (!rewiring) {
        finish(event, state);
      }
    },
    onReconnectStart: (_event, edge) => {
      rewiring = edge;
      shared.splice.set(edge.id);
    },
    onReconnect: (old, connection) => {
      attemptEdit(controller, trans('Reconnect'), flow =>
        connect(
          disconnect(flow, [edgeIndex(flow, old.id)]),
          ...endsOf(connection),
          controller.catalog.get()
        )
      );
    },
    onReconnectEnd: (event, edge, _side, state) => {
      const lights = shared.lights.get();
      rewiring = null;
      shared.lights.set(null);
      shared.splice.set(null);
      if (!state.isValid && !state.toHandle && nodeUnder(wrapper.current, event) === null) {
        controller.edit(trans('Disconnect'), () => without(edge));
      } else if (!state.isValid && state.toHandle && lights) {
        const { reason, values } = lights.verdict(endOf(state.toHandle));
        refuse(event, trans(reason, values));
      }
    }
  };
}

function endOf(handle: { nodeId: string; id?: string | null; type: string }): End {
  return {
    node: handle.nodeId,
    port: handle.id ?? '',
    side: handle.type === 'target' ? 'input' : 'output'
  };
}

function endsOf(connection: Connection | Wire): [End, End] {
  return [
    { node: connection.source, port: connection.sourceHandle ?? '', side: 'output' },
    { node: connection.target, port: connection.targetHandle ?? '', side: 'input' }
  ];
}

function pointOf(event: MouseEvent | TouchEvent): { x: number; y: number } {
  const { clientX, clientY } =
    'changedTouches' in event ? (event.changedTouches[0] as Touch) : event;
  return { x: clientX, y: clientY };
}

/** The node under the pointer; null: none. */
function nodeUnder(surface: Element | null, event: MouseEvent | TouchEvent): string | null {
  const { x, y } = pointOf(event);
  const element = surface && treeOf(surface).elementFromPoint(x, y);
  return element?.closest<HTMLElement>('.react-flow__node')?.dataset['id'] ?? null;
}
