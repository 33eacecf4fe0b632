/** An edge: a curve in the colour of what flows through it. */
import { BaseEdge, EdgeLabelRenderer, getBezierPath, type EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import { disconnect } from '../../core/edits/edges';
import { useController, useNode, useRuns, useSelect } from '../hooks';
import { useShared } from './context';
import { Drawing, SIGNS } from './icons';
import { familyOf } from './Ports';
import { edgeIndex, type Wire } from './scene';

export const WirePath = memo(function WirePath(props: EdgeProps<Wire>) {
  const { id, source, selected, data } = props;
  const controller = useController();
  const spliced = useSelect(useShared().splice, key => key === id);
  const { state } = useNode(useRuns(controller), controller.path(source));
  const [path, x, y] = getBezierPath(props);
  return (
    <>
      <g
        className="iai-wire"
        data-family={familyOf(data?.family ?? 'any')}
        data-change={data?.change ?? undefined}
        data-selected={selected || undefined}
        data-splice={spliced || undefined}
        data-flowing={state === 'running' || undefined}
      >
        <BaseEdge path={path} interactionWidth={18} />
      </g>
      {selected && !controller.readOnly && (
        <EdgeLabelRenderer>
          <RemoveWire id={id} x={x} y={y} />
        </EdgeLabelRenderer>
      )}
    </>
  );
});

function RemoveWire({ id, x, y }: { readonly id: string; readonly x: number; readonly y: number }) {
  const controller = useController();
  const { trans } = controller.services;
  return (
    <button
      type="button"
      className="iai-remove-wire nodrag nopan"
      style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
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
