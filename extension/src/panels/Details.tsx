/** One run: what it waits for, its steps, why it failed, what it wrote, and what can be done. */
import { useState } from 'react';
import type { Run, RunSummary, Step } from '../api/types';
import { stateText } from '../canvas/chrome/words';
import { duration } from '../core/format';
import { Answer, Fault } from './Answer';
import { useHost } from './host';
import { useAsked, useDoing } from './use';
import { GLYPHS, isEnded, openWaits, when } from './words';

interface Props {
  readonly summary: RunSummary;
  onClose(): void;
  /** Show another run. */
  onRun(id: string): void;
}

export function Details({ summary, onClose, onRun }: Props) {
  const { client, trans, language } = useHost();
  const { id, flow, state } = summary;
  const key = [id, state, summary.waits.length, summary.duration_s].join(' ');
  const { result: run, error } = useAsked(() => client.run(id), key);
  return (
    <section className="iai-Run" aria-label={trans('Run {id}', { id })}>
      <div className="iai-Panel-row">
        <button type="button" onClick={onClose}>
          ← {trans('All runs')}
        </button>
      </div>
      <h3>
        <bdi>{flow}</bdi>
      </h3>
      <p>
        <span className="iai-Run-state" data-state={state}>
          {GLYPHS[state]} {stateText(trans, state)}
        </span>{' '}
        {when(summary.started_at ?? summary.created_at, language)}
      </p>
      {summary.error && <p className="iai-Panel-fault">{summary.error.message}</p>}
      {!summary.error && summary.reason && <p className="iai-Panel-quiet">{summary.reason}</p>}
      <Actions run={summary} onRun={onRun} />
      {openWaits(summary).map(wait => (
        <Answer key={`${wait.step} ${wait.key}`} run={id} wait={wait} />
      ))}
      <Fault text={error} />
      {run && <Steps run={run} />}
      <Logs key={id} run={summary} />
      <p className="iai-Panel-quiet">
        <code>{id}</code>
      </p>
    </section>
  );
}

function Actions({ run, onRun }: { readonly run: RunSummary; onRun(id: string): void }) {
  const { client, trans, open, openOutput } = useHost();
  const { busy, fault, go } = useDoing();
  const again = async (latest: boolean): Promise<void> => {
    onRun((await client.retry(run.id, { latest })).id);
  };
  const isNotebook = run.flow.endsWith('.ipynb');
  return (
    <>
      <div className="iai-Panel-row" role="group" aria-label={trans('Actions')}>
        {!isEnded(run) && (
          <button
            type="button"
            disabled={busy || run.cancel_requested}
            onClick={() => void go(() => client.cancel(run.id))}
          >
            {run.cancel_requested ? trans('Is being stopped') : trans('Cancel run')}
          </button>
        )}
        {isEnded(run) && (
          <>
            <button type="button" disabled={busy} onClick={() => void go(() => again(false))}>
              {trans('Retry')}
            </button>
            <button type="button" disabled={busy} onClick={() => void go(() => again(true))}>
              {trans('Retry with the newest version')}
            </button>
          </>
        )}
        {isNotebook && (
          <button type="button" disabled={busy} onClick={() => void go(() => openOutput(run))}>
            {trans('Open output notebook')}
          </button>
        )}
        {/\.(ipynb|flow\.json)$/.test(run.flow) && (
          <button type="button" onClick={() => open(run.flow)}>
            {trans('Open source')}
          </button>
        )}
      </div>
      <Fault text={fault} />
    </>
  );
}

function Steps({ run }: { readonly run: Run }) {
  const { trans } = useHost();
  if (run.steps.length === 0) {
    return null;
  }
  return (
    <>
      <h4>{trans('Steps')}</h4>
      <ul className="iai-Run-steps">
        {run.steps.map(step => (
          <StepLine key={step.step} run={run} step={step} />
        ))}
      </ul>
    </>
  );
}

function StepLine({ run, step }: { readonly run: Run; readonly step: Step }) {
  const { client, trans, debug } = useHost();
  const { busy, fault, go } = useDoing();
  const node = step.step.split('/')[0]?.split('[')[0] ?? '';
  const failed = step.state === 'failed' && isEnded(run);
  const from = (latest: boolean): void =>
    void go(() => client.retry(run.id, { start: node, latest }));
  return (
    <li data-state={step.state}>
      <span className="iai-Run-state" data-state={step.state}>
        {stateText(trans, step.state)}
      </span>{' '}
      <b>{step.step}</b>{' '}
      <span className="iai-Panel-quiet">
        {step.duration_s === null ? '' : duration(step.duration_s)}
      </span>
      {step.error && <pre className="iai-Run-error">{step.error.trace || step.error.message}</pre>}
      {failed && (
        <div className="iai-Panel-row" role="group" aria-label={step.step}>
          <button
            type="button"
            disabled={busy}
            onClick={() => void go(() => debug(run, step.step))}
          >
            {trans('Debug here')}
          </button>
          <button type="button" disabled={busy} onClick={() => from(false)}>
            {trans('Retry from this node')}
          </button>
          <button type="button" disabled={busy} onClick={() => from(true)}>
            {trans('Retry from this node with the newest version')}
          </button>
        </div>
      )}
      <Fault text={fault} />
    </li>
  );
}

function Logs({ run }: { readonly run: RunSummary }) {
  const { client, trans } = useHost();
  const [grep, setGrep] = useState('');
  const key = [run.id, run.state, run.duration_s, grep].join(' ');
  const { result: lines, error } = useAsked(() => client.logs(run.id, grep), key);
  return (
    <>
      <h4>{trans('Log')}</h4>
      <input
        type="search"
        className="iai-Panel-search"
        aria-label={trans('Search the log')}
        placeholder={trans('Search the log')}
        value={grep}
        onChange={event => setGrep(event.currentTarget.value)}
      />
      <Fault text={error} />
      {lines?.length === 0 ? (
        <p className="iai-Panel-quiet">
          {grep
            ? trans('No line has this text.')
            : run.flow.endsWith('.ipynb')
              ? trans('What cells print is in the output notebook.')
              : trans('Nothing was written yet.')}
        </p>
      ) : (
        <pre className="iai-Run-log" tabIndex={0} aria-label={trans('Log')}>
          {lines?.map(line => `${line.step} | ${line.text.replace(/\n$/, '')}`).join('\n')}
        </pre>
      )}
    </>
  );
}
