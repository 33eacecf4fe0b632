/** The timeline of the run: bars in one lane for each node, or a table of all steps. */
import { useEffect, useState } from 'react';
import { isActive } from '../../core/commands/going';
import type { KernelLink } from '../../core/link';
import { IconButton } from '../chrome/Buttons';
import { useNow, useRequest, useRun, useStatus, useTrans } from '../chrome/use';
import { useController, useStore } from '../hooks';
import { Chart } from './Chart';
import { StepTable } from './StepTable';

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
        {!table && <ZoomButtons zoom={zoom} onZoom={setZoom} />}
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

interface ZoomProps {
  readonly zoom: number;
  readonly onZoom: (zoom: number) => void;
}

function ZoomButtons({ zoom, onZoom }: ZoomProps) {
  const trans = useTrans();
  return (
    <>
      <button
        type="button"
        className="iai-button"
        aria-label={trans('Zoom out')}
        disabled={zoom <= 1}
        onClick={() => onZoom(Math.max(1, zoom / 2))}
      >
        −
      </button>
      <button
        type="button"
        className="iai-button"
        aria-label={trans('Zoom in')}
        disabled={zoom >= MOST_ZOOM}
        onClick={() => onZoom(Math.min(MOST_ZOOM, zoom * 2))}
      >
        +
      </button>
    </>
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
