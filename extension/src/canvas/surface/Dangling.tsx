/** The wire that ends nowhere, while one searches for the node that shall take it. */
import { getBezierPath, Position, useInternalNode, ViewportPortal } from '@xyflow/react';
import type { Wire } from '../../core/controller';
import { useController, useSelect } from '../hooks';

export function Dangling() {
  const quick = useSelect(useController().view, view => view.quick);
  return quick?.wire ? <Strand wire={quick.wire} end={quick.at} /> : null;
}

interface Props {
  readonly wire: Wire;
  readonly end: readonly [number, number];
}

function Strand({ wire: { node, port, side }, end: [targetX, targetY] }: Props) {
  const internals = useInternalNode(node)?.internals;
  const handles = internals?.handleBounds?.[side === 'output' ? 'source' : 'target'];
  const handle = handles?.find(({ id }) => id === port);
  if (!internals || !handle) {
    return null;
  }
  const { x, y } = internals.positionAbsolute;
  const [path] = getBezierPath({
    sourceX: x + handle.x + handle.width / 2,
    sourceY: y + handle.y + handle.height / 2,
    sourcePosition: handle.position,
    targetX,
    targetY,
    targetPosition: side === 'output' ? Position.Left : Position.Right
  });
  return (
    <ViewportPortal>
      <svg className="iai-dangling" aria-hidden="true">
        <path d={path} />
      </svg>
    </ViewportPortal>
  );
}
