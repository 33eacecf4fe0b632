/** Bars above the surface that say what is out of the ordinary, and what to do. */
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { offerCode } from '../../core/commands/look';
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
  const [edited, setEdited] = useState(false);
  const element = useRef<HTMLDivElement>(null);
  const { document, services } = controller;
  const link = useStore(controller.link);
  const status = useStatus(controller);
  useEffect(() => document.edited.subscribe(() => setEdited(true)), [document]);
  useEffect(() => {
    const look = (): void => setEdited(before => before || link?.info.get()?.ahead === true);
    look();
    return link?.info.subscribe(look);
  }, [link]);
  if (controller.mode !== 'code' || !edited || status === 'lost') {
    return null;
  }
  const update = async (): Promise<void> => {
    const patch = await controller.attempt(
      async () =>
        (await controller.link.get()?.request('python', { text: document.text() })) ?? null
    );
    if (!patch) {
      return;
    }
    // Without the flow's block in the cell, the code stands by itself.
    const replaced =
      patch.cell !== '' &&
      element.current !== null &&
      services.replaceCell(element.current, patch.cell, patch.code);
    if (replaced || services.insertCell(patch.code)) {
      setEdited(false);
    } else {
      await offerCode(controller, patch.code);
    }
  };
  return (
    <div ref={element}>
      <Notice kind="info">
        <span>{trans('A cell builds this flow; your edits are only on the canvas so far.')}</span>
        <button type="button" className="iai-button" onClick={() => void update()}>
          {trans('Update the cell')}
        </button>
      </Notice>
    </div>
  );
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
  if (status === 'lost' || run.state !== 'failed' || !run.error || closed === run.run_id) {
    return null;
  }
  const { message, step } = run.error;
  return (
    <Notice kind="error">
      {step && (
        <code>
          <bdi>{step}</bdi>
        </code>
      )}
      <span>{message}</span>
      <CommandButton id="retry" />
      <button type="button" className="iai-link" onClick={() => setClosed(run.run_id)}>
        {trans('Close')}
      </button>
    </Notice>
  );
}
