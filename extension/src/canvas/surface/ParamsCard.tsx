/** The flow's parameters as a small source, so that wires can start at them. */
import type { NodeProps } from '@xyflow/react';
import { memo } from 'react';
import { PARAMS } from '../../core/flow';
import { useController } from '../hooks';
import { Drawing, SIGNS } from './icons';
import { Ports } from './Ports';
import type { ParamsNode } from './scene';

const NONE: readonly never[] = [];

export const ParamsCard = memo(
  function ParamsCard({ data, selected }: NodeProps<ParamsNode>) {
    const { trans } = useController().services;
    return (
      <div className="iai-card iai-card-params" data-selected={selected || undefined}>
        <div className="iai-card-head">
          <span className="iai-card-icon">
            <Drawing path={SIGNS.params} />
          </span>
          <span className="iai-card-names">
            <span className="iai-card-title">{trans('Parameters')}</span>
            <span className="iai-card-id">{PARAMS}</span>
          </span>
        </div>
        <div
          className="iai-ports"
          style={{
            height: `calc(${data.outputs.length} * var(--iai-row) + 2 * var(--iai-ports-padding))`
          }}
        >
          <Ports node={PARAMS} inputs={NONE} outputs={data.outputs} />
        </div>
      </div>
    );
  },
  (before, next) => before.data === next.data && before.selected === next.selected
);
