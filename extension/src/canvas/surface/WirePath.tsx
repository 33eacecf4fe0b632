/** An edge: a curve in the colour of what flows through it. */
import { BaseEdge, EdgeLabelRenderer, getBezierPath, type EdgeProps } from '@xyflow/react';
import { memo, useContext, useEffect, useMemo, useRef, useState, type PointerEvent } from 'react';
import { disconnect } from '../../core/edits/edges';
import type { NodeState } from '../../core/protocol';
import { useController, useNodePart, useRuns, useSelect } from '../hooks';
import { FarContext, useShared } from './context';
import { CARD_WIDTH, HEADER } from './geometry';
import { Drawing, SIGNS } from './icons';
import { familyOf } from './Ports';
import { edgeIndex, type Wire } from './scene';

const isRunning = ({ state }: NodeState): boolean => state === 'running';

export const WirePath = memo(function WirePath(props: EdgeProps<Wire>) {
  const { id, source, selected, data } = props;
  const controller = useController();
  const spliced = useSelect(useShared().splice, key => key === id);
  const flowing = useNodePart(useRuns(controller), controller.path(source), isRunning);
  const far = useContext(FarContext);
  const hover = useHover();
  const [path, x, y] = getBezierPath(props);
  return (
    <>
      <g
        className="iai-wire"
        data-family={familyOf(data?.family ?? 'any')}
        data-change={data?.change ?? undefined}
        data-selected={selected || undefined}
        data-splice={spliced || undefined}
        data-flowing={flowing || undefined}
        {...hover.listeners}
      >
        <BaseEdge path={path} interactionWidth={18} />
      </g>
      {(selected || hover.isOver) && !far && !controller.readOnly && (
        <EdgeLabelRenderer>
          <div
            className="iai-wire-tools nodrag nopan"
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
            {...hover.listeners}
          >
            <InsertNode id={id} x={x} y={y} />
            {selected && <RemoveWire id={id} />}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
});

/** Milliseconds in which the pointer may cross from the wire to its buttons. */
const GRACE = 200;

/** Whether the pointer is over the wire, or its buttons, with no mouse button held. */
function useHover() {
  const [isOver, setOver] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(timer.current), []);
  const listeners = useMemo(
    () => ({
      onPointerEnter: (event: PointerEvent) => {
        clearTimeout(timer.current);
        setOver(event.buttons === 0);
      },
      onPointerLeave: () => {
        timer.current = setTimeout(() => setOver(false), GRACE);
      }
    }),
    []
  );
  return { isOver, listeners };
}

interface InsertProps {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

/** Searches for a node that goes into the wire. */
function InsertNode({ id, x, y }: InsertProps) {
  const controller = useController();
  const label = controller.services.trans('Add a node into this wire');
  const search = (): void => {
    const { flow, surface } = controller;
    controller.look({
      quick: {
        at: [x - CARD_WIDTH / 2, y - HEADER],
        screen: surface?.toScreen([x, y]) ?? [0, 0],
        wire: null,
        edge: flow.edges[edgeIndex(flow, id)]
      }
    });
  };
  return (
    <button
      type="button"
      className="iai-wire-tool"
      title={label}
      aria-label={label}
      onClick={search}
    >
      <Drawing path={SIGNS.plus} size={12} />
    </button>
  );
}

function RemoveWire({ id }: { readonly id: string }) {
  const controller = useController();
  const { trans } = controller.services;
  return (
    <button
      type="button"
      className="iai-wire-tool iai-remove-wire"
      title={trans('Remove this connection')}
      aria-label={trans('Remove this connection')}
      onClick={() => {
        controller.edit(trans('Disconnect'), flow => disconnect(flow, [edgeIndex(flow, id)]));
        controller.select([]);
        controller.surface?.focus();
      }}
    >
      <Drawing path={SIGNS.cross} size={12} />
    </button>
  );
}
