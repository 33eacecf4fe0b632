/** One run: what it waits for, its steps, why it failed, what it wrote, and what can be done. */
import { useEffect, useRef, useState } from 'react';
import type { Download } from '../api/client';
import type { LogLine, Run, RunSummary, Step } from '../api/types';
import { stateText } from '../canvas/chrome/words';
import { duration } from '../core/format';
import { Answer, Fault } from './Answer';
import { Spending } from './Budget';
import { store } from './download';
import { Search } from './Search';
import { useHost } from './host';
import { MenuButton, type MenuEntry } from './MenuButton';
import type { Place } from './runsStore';
import { useAsked, useDoing, useSettled } from './use';
import { GLYPHS, isEnded, openWaits, when } from './words';

interface Props {
  readonly summary: RunSummary;
  readonly place: Place;
  onClose(): void;
  /** Show another run. */
  onRun(id: string): void;
}

export function Details({ summary, place, onClose, onRun }: Props) {
  const { client, trans, language } = useHost();
  const { id, flow, state } = summary;
  const key = [id, state, summary.waits.length, summary.duration_s].join(' ');
  const { result: run, error } = useAsked(() => client.run(id), key);
  return (
    <section className="iai-Run" aria-label={trans('Run {id}', { id })}>
      <Back onClose={onClose} />
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
      {!summary.error && summary.reason && openWaits(summary).length === 0 && (
        <p className="iai-Panel-quiet">{summary.reason}</p>
      )}
      <Actions run={summary} onRun={onRun} />
      {openWaits(summary).map(wait => (
        <Answer key={`${wait.step} ${wait.key}`} run={id} wait={wait} />
      ))}
      <Fault text={error} />
      {run && <Spending run={run} />}
      {run && <Steps run={run} chosen={place.step} />}
      <Logs key={`${id} ${place.text}`} run={summary} searched={place.text} />
      <p className="iai-Panel-quiet">
        <code>{id}</code>
      </p>
    </section>
  );
}

/** Leads back to the list; what led here is gone, and the focus with it. */
export function Back({ onClose }: Pick<Props, 'onClose'>) {
  const { trans } = useHost();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body) {
      button.current?.focus();
    }
  }, []);
  return (
    <div className="iai-Panel-row">
      <button ref={button} type="button" onClick={onClose}>
        ← {trans('All runs')}
      </button>
    </div>
  );
}

function Actions({ run, onRun }: { readonly run: RunSummary; onRun(id: string): void }) {
  const { client, trans, open, openOutput, save } = useHost();
  const { busy, fault, go } = useDoing();
  const again = async (latest: boolean): Promise<void> => {
    if (latest) {
      await save(run.flow);
    }
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
        <More run={run} busy={busy} go={go} />
      </div>
      {busy && <p role="status">{trans('One moment…')}</p>}
      <Fault text={fault} />
    </>
  );
}

interface MoreProps {
  readonly run: RunSummary;
  readonly busy: boolean;
  go(work: () => Promise<unknown>): Promise<boolean>;
}

function More({ run, busy, go }: MoreProps) {
  const { client, trans, compare } = useHost();
  const stored = (ask: () => Promise<Download>) => (): void => {
    void go(async () => store(await ask()));
  };
  const documents: readonly MenuEntry[] = [
    { label: trans('Export as HTML'), act: stored(() => client.export(run.id, 'html')) },
    { label: trans('Export as Markdown'), act: stored(() => client.export(run.id, 'markdown')) },
    { label: trans('Export as PDF'), act: stored(() => client.export(run.id, 'pdf')) }
  ];
  const entries: readonly MenuEntry[] = [
    ...documents,
    { label: trans('Download everything (zip)'), act: stored(() => client.zip(run.id)) },
    { label: trans('Compare with…'), act: () => compare(run) }
  ];
  return <MenuButton label={trans('Export and compare')} disabled={busy} entries={entries} />;
}

interface StepsProps {
  readonly run: Run;
  /** The step that is looked at; "": none. */
  readonly chosen: string;
}

function Steps({ run, chosen }: StepsProps) {
  const { trans } = useHost();
  if (run.steps.length === 0) {
    return null;
  }
  return (
    <>
      <h4>{trans('Steps')}</h4>
      <ul className="iai-Run-steps">
        {run.steps.map(step => (
          <StepLine key={step.step} run={run} step={step} isChosen={step.step === chosen} />
        ))}
      </ul>
    </>
  );
}

interface StepProps {
  readonly run: Run;
  readonly step: Step;
  readonly isChosen: boolean;
}

function StepLine({ run, step, isChosen }: StepProps) {
  const { client, trans, debug, save } = useHost();
  const line = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isChosen) {
      line.current?.scrollIntoView({ block: 'nearest' });
    }
  }, [isChosen]);
  const { busy, fault, go } = useDoing();
  const node = step.step.split('/')[0]?.split('[')[0] ?? '';
  const failed = step.state === 'failed' && isEnded(run);
  const from = (latest: boolean): void =>
    void go(async () => {
      if (latest) {
        await save(run.flow);
      }
      await client.retry(run.id, { start: node, latest });
    });
  return (
    <li ref={line} data-state={step.state} aria-current={isChosen || undefined}>
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

interface LogsProps {
  readonly run: RunSummary;
  /** What is looked for at first; "": nothing. */
  readonly searched: string;
}

/** How many texts of a log are shown. */
const MOST = 2_000;

function Logs({ run, searched }: LogsProps) {
  const { client, trans } = useHost();
  const [grep, setGrep] = useState(searched);
  const wanted = useSettled(grep);
  const key = [run.id, run.state, run.duration_s, wanted].join(' ');
  const { result: lines, error } = useAsked(() => client.logs(run.id, wanted, MOST), key);
  return (
    <>
      <h4>{trans('Log')}</h4>
      <Search label={trans('Search the log')} text={grep} onText={setGrep} />
      <Fault text={error} />
      {lines?.length === MOST && (
        <p className="iai-Panel-quiet">{trans('The last {count} texts', { count: MOST })}</p>
      )}
      {lines?.length === 0 ? (
        <p className="iai-Panel-quiet">
          {grep ? trans('No line has this text.') : trans('Nothing was written yet.')}
        </p>
      ) : (
        <pre className="iai-Run-log" role="group" tabIndex={0} aria-label={trans('Log')}>
          {lines?.map(spelled).join('\n')}
        </pre>
      )}
    </>
  );
}

/** Each line with the step that wrote it. */
function spelled({ step, text }: LogLine): string {
  const lines = text.replace(/\n$/, '').split('\n');
  return lines.map(line => `${step} | ${line}`).join('\n');
}
