/** When the nodes of a run worked: a lane for each, with a bar for each of its steps. */
import { useMemo, useState } from 'react';
import type { Controller } from '../../core/controller';
import { duration } from '../../core/format';
import type { TimelineStep } from '../../core/protocol';
import { timeline, type Bar, type Lane } from '../../core/timeline';
import { Icon } from '../chrome/icons';
import { useTrans } from '../chrome/use';
import { sourceText, stateText } from '../chrome/words';
import { useController } from '../hooks';

interface ChartProps {
  readonly steps: readonly TimelineStep[];
  readonly now: number;
  readonly zoom: number;
}

export function Chart({ steps, now, zoom }: ChartProps) {
  const trans = useTrans();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const { lanes, span, ticks } = useMemo(() => timeline(steps, now), [steps, now]);
  const whole = Math.max(span, 0.001);
  const toggle = (node: string): void => {
    const next = new Set(open);
    setOpen(next.delete(node) ? next : next.add(node));
  };
  return (
    <div className="iai-chart" role="group" aria-label={trans('Timeline')} tabIndex={0}>
      <div className="iai-chart-inside" style={{ width: `${zoom * 100}%` }}>
        <div className="iai-chart-axis" aria-hidden="true">
          {ticks.map(tick => (
            <span key={tick} className="iai-tick" style={{ left: percent(tick, whole) }}>
              {duration(tick)}
            </span>
          ))}
        </div>
        {lanes.map(lane => (
          <LaneRow
            key={lane.node}
            lane={lane}
            span={whole}
            open={open.has(lane.node)}
            onToggle={() => toggle(lane.node)}
          />
        ))}
      </div>
    </div>
  );
}

interface LaneProps {
  readonly lane: Lane;
  readonly span: number;
  readonly open: boolean;
  readonly onToggle: () => void;
}

const BAR = 18;

/** Several steps of one node, such as the items of a map, are folded into one bar. */
function LaneRow({ lane, span, open, onToggle }: LaneProps) {
  const controller = useController();
  const trans = useTrans();
  const many = lane.bars.length > 1;
  const unfolded = !many || open;
  const name = `${lane.node}${many ? ` (${lane.bars.length})` : ''}`;
  return (
    <div className="iai-lane" style={{ height: (unfolded ? lane.rows : 1) * BAR + 6 }}>
      <button
        type="button"
        className="iai-lane-name"
        aria-expanded={many ? open : undefined}
        title={many ? trans('Show or hide the items') : name}
        onClick={() => {
          if (many) {
            onToggle();
          }
          select(controller, lane.node);
        }}
      >
        {many && <Icon name={open ? 'down' : 'right'} />}
        <bdi>{name}</bdi>
      </button>
      <div className="iai-lane-bars">
        {unfolded ? (
          lane.bars.map((bar, index) => <BarView key={index} bar={bar} span={span} />)
        ) : (
          <Folded lane={lane} span={span} />
        )}
      </div>
    </div>
  );
}

function BarView({ bar, span }: { readonly bar: Bar; readonly span: number }) {
  const trans = useTrans();
  const { step, mark } = bar;
  const state = stateText(trans, step.state);
  const how = mark ? sourceText(trans, step.source) : duration(bar.length);
  const text = `${step.path}: ${state}, ${how}`;
  return (
    <>
      {bar.wait > 0 && (
        <span
          className="iai-bar-wait"
          style={{
            left: percent(bar.start - bar.wait, span),
            width: percent(bar.wait, span),
            top: bar.row * BAR
          }}
        />
      )}
      <span
        className="iai-bar"
        role="img"
        aria-label={text}
        title={text}
        data-state={step.state}
        data-source={step.source}
        data-mark={mark || undefined}
        style={{
          left: percent(bar.start, span),
          width: mark ? undefined : percent(bar.length, span),
          top: bar.row * BAR
        }}
      />
    </>
  );
}

function Folded({ lane, span }: { readonly lane: Lane; readonly span: number }) {
  const trans = useTrans();
  const start = Math.min(...lane.bars.map(bar => bar.start));
  const end = Math.max(...lane.bars.map(bar => bar.start + bar.length));
  const failed = lane.bars.filter(bar => bar.step.state === 'failed').length;
  const running = lane.bars.some(bar => bar.step.state === 'running');
  const text = trans('{node}: {count} steps, {failed} failed, {time}', {
    node: lane.node,
    count: lane.bars.length,
    failed,
    time: duration(end - start)
  });
  return (
    <span
      className="iai-bar"
      role="img"
      aria-label={text}
      title={text}
      data-state={failed > 0 ? 'failed' : running ? 'running' : 'completed'}
      data-folded="true"
      style={{ left: percent(start, span), width: percent(end - start, span), top: 0 }}
    />
  );
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(3)}%`;
}

/** Select the node of the open flow that a path leads through. */
function select(controller: Controller, path: string): void {
  const here = controller.path('');
  const node = path.startsWith(here) ? (path.slice(here.length).split('/')[0] ?? '') : '';
  if (Object.hasOwn(controller.flow.nodes, node)) {
    controller.select([node]);
    controller.surface?.reveal([node]);
  }
}
