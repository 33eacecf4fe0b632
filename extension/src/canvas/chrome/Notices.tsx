/** Bars above the surface that say what is out of the ordinary, and what to do. */
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { offerCode } from '../../core/commands/look';
import type { Controller } from '../../core/controller';
import { moment } from '../../core/format';
import type { ErrorInfo, RunInfo } from '../../core/protocol';
import { useController, useStore } from '../hooks';
import { CommandButton } from './Buttons';
import { restoreVersion } from './restore';
import { useRun, useStatus, useTrans } from './use';

export function Notices() {
  return (
    <div className="iai-notices" role="status" aria-atomic="false">
      <FaultNotice />
      <KernelNotice />
      <ReadOnlyNotice />
      <ComparedNotice />
      <PatchNotice />
      <RunNotice />
    </div>
  );
}

interface NoticeProps {
  readonly kind: 'info' | 'warning' | 'error';
  readonly children: ReactNode;
}

function Notice({ kind, children }: NoticeProps) {
  return (
    <div className="iai-notice" data-kind={kind}>
      {children}
    </div>
  );
}

/** A file that cannot be read: its text can be corrected, and the canvas comes back by itself. */
function FaultNotice() {
  const { document, services } = useController();
  const trans = useTrans();
  const { fault } = useStore(document.state);
  return fault ? (
    <Notice kind="error">
      <span>{fault}</span>
      {services.openText && (
        <button type="button" className="iai-button" onClick={services.openText}>
          {trans('Open the text')}
        </button>
      )}
    </Notice>
  ) : null;
}

/** In a document; in a notebook the widget says what becomes of edits. */
function KernelNotice() {
  const trans = useTrans();
  const controller = useController();
  const status = useStatus(controller);
  if (controller.mode !== 'document') {
    return null;
  }
  if (status === 'lost') {
    return (
      <Notice kind="warning">
        {trans('The kernel is gone; what is shown is from before. You can go on editing.')}
      </Notice>
    );
  }
  return status === 'outdated' ? (
    <Notice kind="warning">
      {trans('The kernel has another version of iaiflow-lab; you can edit, but not run.')}
    </Notice>
  ) : null;
}

function ReadOnlyNotice() {
  const trans = useTrans();
  const { document, mode } = useController();
  const { readOnly, fault } = useStore(document.state);
  return readOnly && !fault && mode === 'document' ? (
    <Notice kind="info">{trans('This flow is read-only.')}</Notice>
  ) : null;
}

function ComparedNotice() {
  const controller = useController();
  const trans = useTrans();
  const { compared } = useStore(controller.view);
  const { readOnly } = useStore(controller.document.state);
  if (!compared) {
    return null;
  }
  return (
    <Notice kind="info">
      <span>
        {trans('Compared with version {version}', { version: compared.version.slice(0, 8) })}
      </span>
      {!readOnly && (
        <button
          type="button"
          className="iai-button"
          onClick={() => restoreVersion(controller, compared)}
        >
          {trans('Restore this version')}
        </button>
      )}
      <button
        type="button"
        className="iai-button"
        onClick={() => controller.look({ compared: null })}
      >
        {trans('Stop comparing')}
      </button>
    </Notice>
  );
}

/** Mode `code`: edits are not in the notebook until they are written into its cell. */
function PatchNotice() {
  const controller = useController();
  const trans = useTrans();
  const element = useRef<HTMLDivElement>(null);
  const link = useStore(controller.link);
  const status = useStatus(controller);
  const [edited, setEdited] = useEdited(controller);
  if (controller.mode !== 'code' || !edited || status === 'lost') {
    return null;
  }
  const update = async (): Promise<void> => {
    if (element.current && (await updateCell(controller, element.current))) {
      setEdited(false);
    }
  };
  return (
    <div ref={element}>
      <Notice kind="info">
        <span>
          {link?.info.get()?.kept === false
            ? trans(
                'A cell builds this flow; your edits are only on the canvas so far, and end with the kernel.'
              )
            : trans('A cell builds this flow; your edits are only on the canvas so far.')}
        </span>
        <button type="button" className="iai-button" onClick={() => void update()}>
          {trans('Update the cell')}
        </button>
      </Notice>
    </div>
  );
}

/** Whether there are edits that the cell's code does not have. */
function useEdited({ document, link }: Controller) {
  const [edited, setEdited] = useState(false);
  const kernel = useStore(link);
  useEffect(() => document.edited.subscribe(() => setEdited(true)), [document]);
  useEffect(() => {
    const look = (): void => setEdited(before => before || kernel?.info.get()?.ahead === true);
    look();
    return kernel?.info.subscribe(look);
  }, [kernel]);
  return [edited, setEdited] as const;
}

/** Write the edits into the cell, or a new one; says whether one has all of them. */
async function updateCell(controller: Controller, element: HTMLElement): Promise<boolean> {
  const { document, services } = controller;
  const text = document.text();
  const patch = await controller.attempt(
    async () => (await controller.link.get()?.request('python', { text })) ?? null
  );
  if (!patch) {
    return false;
  }
  // Without the flow's block in the cell, the code stands by itself.
  const replaced = patch.cell !== '' && services.replaceCell(element, patch.cell, patch.code);
  if (replaced || services.insertCell(patch.code)) {
    return document.text() === text; // there may be further edits by now
  }
  await offerCode(controller, patch.code);
  return false;
}

/** What a run that is being cancelled waits for, and why one failed. */
function RunNotice() {
  const trans = useTrans();
  const controller = useController();
  const run = useRun(controller);
  const status = useStatus(controller);
  const [closed, setClosed] = useState('');
  if (run.note) {
    return <Notice kind="info">{run.note}</Notice>;
  }
  const isAway = status === 'lost' || status === 'returning';
  if (isAway || !run.error || closed === run.run_id) {
    return null;
  }
  const isLost = LOST.has(run.error.code);
  if (run.state !== 'failed' && !isLost) {
    return null;
  }
  return (
    <Notice kind={isLost ? 'warning' : 'error'}>
      {isLost ? <LostRun run={run} /> : <FailedRun error={run.error} />}
      <button type="button" className="iai-link" onClick={() => setClosed(run.run_id)}>
        {trans('Close')}
      </button>
    </Notice>
  );
}

/** How the kernel says that a run ended with the kernel before it. */
const LOST: ReadonlySet<string> = new Set(['kernel-lost', 'kernel-ended']);

function LostRun({ run }: { readonly run: RunInfo }) {
  const { services } = useController();
  const started = run.started_at === null ? '' : moment(run.started_at, services.language);
  return (
    <>
      <span>
        {services.trans(
          'The kernel was restarted in the middle of a run: that of {moment} is lost with its values. What is shown is how far it came; the history has it as {run}.',
          { moment: started, run: run.run_id }
        )}
      </span>
      <CommandButton id="run-all">{services.trans('Run again')}</CommandButton>
    </>
  );
}

function FailedRun({ error: { step, message } }: { readonly error: ErrorInfo }) {
  return (
    <>
      {step && (
        <code>
          <bdi>{step}</bdi>
        </code>
      )}
      <span>{message}</span>
      <CommandButton id="retry" />
    </>
  );
}
