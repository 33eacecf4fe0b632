/** The timeline of the run: bars in one lane for each node, or a table of all steps. */
import { useEffect, useMemo, useState } from 'react';
import { isActive } from '../../core/commands/going';
import { clock, duration } from '../../core/format';
import type { KernelLink } from '../../core/link';
import type { TimelineStep } from '../../core/protocol';
import { timeline, type Bar, type Lane } from '../../core/timeline';
import { IconButton } from '../chrome/Buttons';
import { Icon } from '../chrome/icons';
import { useNow, useRequest, useRun, useStatus, useTrans } from '../chrome/use';
import { sourceText, stateText } from '../chrome/words';
import { useController, useStore } from '../hooks';

/** Most steps in the table; the chart shows them all. */
const ROWS = 500;
const MOST_ZOOM = 64;

export function Timeline() {
  const controller = useController();
  const trans = useTrans();
  const link = useStore(controller.link);
  const status = useStatus(controller);
  const run = useRun(controller);
  const news = useNews(link);
  const [table, setTable] = useState(false);
  const [zoom, setZoom] = useState(1);
  const answer = useRequest('steps', {}, `${run.run_id} ${run.state} ${news}`);
  const now = useNow(isActive(run.state));
  if (status === null) {
    return <p className="iai-pad iai-muted">{trans('Choose a kernel to see runs.')}</p>;
  }
  const steps = answer.state === 'done' ? answer.result.steps : [];
  if (answer.state === 'failed') {
    return <p className="iai-pad iai-muted">{answer.reason}</p>;
  }
  if (steps.length === 0) {
    return (
      <p className="iai-pad iai-muted">{trans('Run the flow to see when each node worked.')}</p>
    );
  }
  return (
    <div className="iai-timeline">
      <div className="iai-row iai-timeline-bar">
        <IconButton
          icon="table"
          label={trans('As a table')}
          pressed={table}
          onClick={() => setTable(!table)}
        />
        {!table && (
          <>
            <button
              type="button"
              className="iai-button"
              aria-label={trans('Zoom out')}
              disabled={zoom <= 1}
              onClick={() => setZoom(Math.max(1, zoom / 2))}
            >
              −
            </button>
            <button
              type="button"
              className="iai-button"
              aria-label={trans('Zoom in')}
              disabled={zoom >= MOST_ZOOM}
              onClick={() => setZoom(Math.min(MOST_ZOOM, zoom * 2))}
            >
              +
            </button>
          </>
        )}
        {answer.state === 'done' && answer.result.cut && (
          <span className="iai-muted">
            {trans('The first {count} steps', { count: steps.length })}
          </span>
        )}
      </div>
      {table ? <StepTable steps={steps} now={now} /> : <Chart {...{ steps, now, zoom }} />}
    </div>
  );
}

/** Rises at most once a second while nodes of the run change. */
function useNews(link: KernelLink | null): number {
  const [news, setNews] = useState(0);
  useEffect(() => {
    if (!link) {
      return undefined;
    }
    let timer: ReturnType<typeof setTimeout> | null = null;
    const end = link.runs.subscribeAll(() => {
      timer ??= setTimeout(() => {
        timer = null;
        setNews(count => count + 1);
      }, 1000);
    });
    return () => {
      end();
      if (timer) {
        clearTimeout(timer);
      }
    };
  }, [link]);
  return news;
}

interface ChartProps {
  readonly steps: readonly TimelineStep[];
  readonly now: number;
  readonly zoom: number;
}

function Chart({ steps, now, zoom }: ChartProps) {
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
function select(controller: ReturnType<typeof useController>, path: string): void {
  const here = controller.path('');
  const node = path.startsWith(here) ? (path.slice(here.length).split('/')[0] ?? '') : '';
  if (Object.hasOwn(controller.flow.nodes, node)) {
    controller.select([node]);
    controller.surface?.reveal([node]);
  }
}

interface TableProps {
  readonly steps: readonly TimelineStep[];
  readonly now: number;
}

function StepTable({ steps, now }: TableProps) {
  const trans = useTrans();
  const { language } = useController().services;
  return (
    <div className="iai-scroll" tabIndex={0} role="region" aria-label={trans('Steps of the run')}>
      <table className="iai-steps">
        <thead>
          <tr>
            <th scope="col">{trans('Step')}</th>
            <th scope="col">{trans('State')}</th>
            <th scope="col">{trans('Attempt')}</th>
            <th scope="col">{trans('From')}</th>
            <th scope="col">{trans('Waited')}</th>
            <th scope="col">{trans('Started')}</th>
            <th scope="col">{trans('Took')}</th>
          </tr>
        </thead>
        <tbody>
          {steps.slice(0, ROWS).map(step => (
            <tr key={step.path}>
              <th scope="row">
                <bdi>{step.path}</bdi>
              </th>
              <td data-state={step.state}>{stateText(trans, step.state)}</td>
              <td>{step.attempt}</td>
              <td>{sourceText(trans, step.source)}</td>
              <td>{duration(step.queue_wait_s)}</td>
              <td>{step.started_at === null ? '' : clock(step.started_at, language)}</td>
              <td>{took(step, now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {steps.length > ROWS && (
        <p className="iai-muted">{trans('The first {count} steps', { count: ROWS })}</p>
      )}
    </div>
  );
}

function took(step: TimelineStep, now: number): string {
  if (step.started_at === null) {
    return '';
  }
  const end = step.ended_at ?? (step.state === 'running' ? now : step.started_at);
  return duration(end - step.started_at);
}
