/** Wires of a large flow that nobody points at: a drawing of a few paths, below the cards. */
import { ViewportPortal } from '@xyflow/react';
import { memo, useMemo } from 'react';
import { familyOf } from './Ports';
import type { Wire } from './scene';
import { strands, type Drawn } from './wires';

interface Props {
  readonly wires: readonly Wire[];
  readonly drawn: Drawn;
}

export const Strands = memo(function Strands({ wires, drawn }: Props) {
  const paths = useMemo(() => strands(wires, drawn), [wires, drawn]);
  if (paths.length === 0) {
    return null;
  }
  return (
    <ViewportPortal>
      <svg className="iai-strands" aria-hidden="true">
        {paths.map(({ key, family, change, selected, path }) => (
          <g
            key={key}
            className="iai-wire"
            data-family={familyOf(family)}
            data-change={change}
            data-selected={selected || undefined}
          >
            <path className="react-flow__edge-path" d={path} />
          </g>
        ))}
      </svg>
    </ViewportPortal>
  );
});
