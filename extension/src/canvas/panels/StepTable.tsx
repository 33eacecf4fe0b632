/** The steps of a run, a row for each. */
import { clock, duration } from '../../core/format';
import type { TimelineStep } from '../../core/protocol';
import { useTrans } from '../chrome/use';
import { sourceText, stateText } from '../chrome/words';
import { useController } from '../hooks';

/** Most steps in the table; the chart shows them all. */
const ROWS = 500;

interface TableProps {
  readonly steps: readonly TimelineStep[];
  readonly now: number;
}

export function StepTable({ steps, now }: TableProps) {
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
