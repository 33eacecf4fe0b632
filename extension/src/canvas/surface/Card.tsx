/** A node on the surface. */
import { Handle, Position, type NodeProps } from '@xyflow/react';
import { memo, useContext, useRef } from 'react';
import { tracePort } from '../../core/agentTrace';
import { asksOf } from '../../core/asks';
import type { NodeState, StepState } from '../../core/protocol';
import { shorten, visible } from '../../core/text';
import { hasOutput, NodeOutput } from '../outputs';
import { useController, useNode, useNodePart, useRuns, useSelect } from '../hooks';
import { PrefixContext, ProblemsContext } from './context';
import { rowMiddle } from './geometry';
import { enterInspector } from './enterInspector';
import { CategoryIcon, Drawing, SIGNS, tintOf } from './icons';
import { Ports } from './Ports';
import { InlineName } from './InlineName';
import { statusId, type CardData, type CardNode } from './scene';
import { isQuiet, Progress, Status } from './Status';
import { useQuestionInSight } from './useQuestionInSight';

/** Characters of the last log line that fit onto a card. */
const LINE = 160;

const stateOf = ({ state }: NodeState): StepState => state;

interface CardProps {
  readonly id: string;
  readonly data: CardData;
  readonly selected?: boolean;
  readonly height?: number;
}

/** React Flow tells a card its position with every step of a drag: that changes nothing here. */
export const Card = memo(
  function Card({ id, data, selected, height }: NodeProps<CardNode>) {
    return data.level === 'whole' ? (
      <NearCard id={id} data={data} selected={selected} />
    ) : (
      <>
        <FarCard id={id} data={data} selected={selected} height={height} />
        {data.level === 'plain' && <PlainPorts {...data} />}
      </>
    );
  },
  (before, next) =>
    before.id === next.id &&
    before.data === next.data &&
    before.selected === next.selected &&
    before.height === next.height
);

/** Seen from afar: a box of the same size in the colour of its category. */
function FarCard({ id, data, selected, height }: CardProps) {
  const controller = useController();
  const state = useNodePart(useRuns(controller), controller.path(id), stateOf);
  return (
    <div
      className="iai-card iai-card-far"
      data-state={state}
      data-tint={tintOf(data.type?.category ?? '')}
      data-selected={selected || undefined}
      data-change={data.change ?? undefined}
      style={{ height }}
    >
      <span className="iai-card-far-title">{nameOf(id, data)}</span>
    </div>
  );
}

/** The ends of wires on a card that shows no ports. */
function PlainPorts({ inputs, outputs }: CardData) {
  const port = (name: string, row: number, type: 'source' | 'target') => (
    <Handle
      key={`${type} ${name}`}
      id={name}
      type={type}
      position={type === 'source' ? Position.Right : Position.Left}
      style={{ top: rowMiddle(row) }}
      className="iai-port iai-port-plain"
      isConnectable={false}
    />
  );
  return (
    <>
      {inputs.map(({ name }, row) => port(name, row, 'target'))}
      {outputs.map(({ name }, row) => port(name, row, 'source'))}
    </>
  );
}

function NearCard({ id, data, selected }: CardProps) {
  const controller = useController();
  const prefix = useContext(PrefixContext);
  const state = useNode(useRuns(controller), controller.path(id));
  const card = useRef<HTMLDivElement>(null);
  useQuestionInSight(card, asksOf(state).length > 0);
  return (
    <div
      ref={card}
      className="iai-card iai-card-near"
      data-state={state.state}
      data-stale={state.stale || undefined}
      data-tint={tintOf(data.type?.category ?? '')}
      data-selected={selected || undefined}
      data-change={data.change ?? undefined}
      data-unknown={data.type === null || undefined}
    >
      <Header id={id} data={data} />
      <div className="iai-ports" style={{ height: portsHeight(data) }}>
        <Ports node={id} inputs={data.inputs} outputs={data.outputs} />
      </div>
      <Bodies id={id} data={data} />
      {!isQuiet(state) && (
        <div className="iai-card-run">
          <Status state={state} id={statusId(prefix, id)} />
          <Progress state={state} />
          {state.text && tracePort(state.outputs) === null && <LastLine text={state.text} />}
        </div>
      )}
      {hasOutput(state) && (
        <div className="iai-card-output nowheel">
          <NodeOutput
            controller={controller}
            state={state}
            onOpen={port => controller.openOutput(id, port)}
            onAsk={from => {
              controller.inspect(id);
              enterInspector(from);
            }}
          />
        </div>
      )}
    </div>
  );
}

function LastLine({ text }: { readonly text: string }) {
  const line = visible(shorten(text.trimEnd().split('\n').at(-1) ?? '', LINE));
  return (
    <div className="iai-card-line" title={line}>
      {line}
    </div>
  );
}

function portsHeight({ inputs, outputs }: CardData): string {
  const rows = Math.max(inputs.length, outputs.length);
  return rows > 0 ? `calc(${rows} * var(--iai-row) + 2 * var(--iai-ports-padding))` : '0';
}

function nameOf(id: string, { node, type }: CardData): string {
  return node.title || type?.title || id;
}

function Header({ id, data }: { readonly id: string; readonly data: CardData }) {
  const controller = useController();
  const { trans } = controller.services;
  const renaming = useSelect(controller.view, view => view.renaming === id);
  const { node, type } = data;
  return (
    <div className="iai-card-head">
      <span className="iai-card-icon">
        <CategoryIcon category={type?.category ?? ''} />
      </span>
      <span className="iai-card-names">
        {renaming ? (
          <InlineName id={id} value={nameOf(id, data)} label={trans('Title of {id}', { id })} />
        ) : (
          <span className="iai-card-title" title={nameOf(id, data)}>
            <bdi>{nameOf(id, data)}</bdi>
          </span>
        )}
        <span className="iai-card-id">
          <bdi>{id}</bdi>
          {type === null && (
            <span className="iai-card-missing">
              {trans('unknown type {type}', { type: node.type })}
            </span>
          )}
        </span>
      </span>
      <Marks id={id} data={data} />
    </div>
  );
}

function Marks({ id, data: { node } }: { readonly id: string; readonly data: CardData }) {
  const controller = useController();
  const { trans } = controller.services;
  const problems = useContext(ProblemsContext).get(id) ?? [];
  const errors = problems.filter(problem => problem.severity === 'error').length;
  const pinned = Object.keys(node.pin ?? {}).length > 0;
  return (
    <span className="iai-card-marks">
      {pinned && (
        <span className="iai-sign" role="img" title={trans('Pinned')} aria-label={trans('Pinned')}>
          <Drawing path={SIGNS.pin} size={14} />
        </span>
      )}
      {problems.length > 0 && (
        <span
          className="iai-problems-badge"
          data-severity={errors > 0 ? 'error' : 'warning'}
          role="img"
          title={problems.map(problem => `${problem.code} ${problem.message}`).join('\n')}
          aria-label={trans('Problems: {count}', { count: problems.length })}
        >
          <Drawing path={SIGNS.warning} size={12} />
          {problems.length}
        </span>
      )}
    </span>
  );
}

function Bodies({ id, data: { type } }: { readonly id: string; readonly data: CardData }) {
  const controller = useController();
  const { trans } = controller.services;
  return (type?.bodies ?? []).map(field => (
    <button
      key={field}
      type="button"
      className="iai-open-body nodrag"
      tabIndex={-1}
      onClick={() => controller.openBody(id, field)}
      onDoubleClick={event => event.stopPropagation()}
    >
      <Drawing path={SIGNS.body} size={14} />
      {type?.bodies.length === 1 ? trans('Open body') : trans('Open {field}', { field })}
    </button>
  ));
}
