/** The wire that the keyboard is about to draw. */
import { useReactFlow, ViewportPortal } from '@xyflow/react';
import type { Wire as End } from '../../core/controller';
import { useStore } from '../hooks';
import { useShared } from './context';
import { CARD_WIDTH, rowMiddle } from './geometry';
import type { AnyNode, CardNode, Wire } from './scene';

export function AimedWire({ from }: { readonly from: End }) {
  const aim = useStore(useShared().aim);
  const rf = useReactFlow<AnyNode, Wire>();
  const [start, end] = [
    portPoint(rf.getNode(from.node), from),
    aim && portPoint(rf.getNode(aim.node), aim)
  ];
  if (!start || !end) {
    return null;
  }
  const bend = Math.max(40, Math.abs(end[0] - start[0]) / 2) * (from.side === 'output' ? 1 : -1);
  return (
    <ViewportPortal>
      <svg className="iai-aimed-wire" aria-hidden="true">
        <path
          d={`M${start[0]},${start[1]} C${start[0] + bend},${start[1]} ${end[0] - bend},${end[1]} ${end[0]},${end[1]}`}
        />
      </svg>
    </ViewportPortal>
  );
}

/** Where a port is on the surface; one that is not there yet comes below the others. */
function portPoint(node: AnyNode | undefined, end: End): readonly [number, number] | null {
  if (!node) {
    return null;
  }
  const data = node.data as Partial<CardNode['data']>;
  const ports = (end.side === 'input' ? data.inputs : data.outputs) ?? [];
  const found = ports.findIndex(port => port.name === end.port);
  const x = node.position.x + (end.side === 'output' ? CARD_WIDTH : 0);
  return [x, node.position.y + rowMiddle(found < 0 ? ports.length : found)];
}
