/** Versions of the flow: what changed since, on the surface and as a list, and the way back. */
import { useState } from 'react';
import type { Controller } from '../../core/controller';
import { parseFlow } from '../../core/file';
import { moment } from '../../core/format';
import type { FlowVersion } from '../../core/protocol';
import { useRequest, useRun, useStatus, useTrans } from '../chrome/use';
import { restoreVersion } from '../chrome/restore';
import { useController, useStore } from '../hooks';

export function History() {
  const controller = useController();
  const trans = useTrans();
  const status = useStatus(controller);
  const { compared } = useStore(controller.view);
  const { revision } = useStore(controller.document.state);
  const [asked, setAsked] = useState(0);
  const { run_id: run } = useRun(controller);
  const answer = useRequest('versions', {}, `${run} ${asked}`);
  if (status !== 'ready') {
    return <p className="iai-pad iai-muted">{trans('Choose a kernel to see earlier versions.')}</p>;
  }
  if (answer.state === 'failed') {
    return <p className="iai-pad iai-muted">{answer.reason}</p>;
  }
  const versions = answer.state === 'done' ? answer.result.versions : [];
  return (
    <div className="iai-history">
      <div className="iai-row iai-pad">
        <button type="button" className="iai-button" onClick={() => setAsked(asked + 1)}>
          {trans('Look again')}
        </button>
      </div>
      {answer.state === 'done' && versions.length === 0 && (
        <p className="iai-pad iai-muted">
          {trans('No versions yet: one is kept whenever the flow is saved.')}
        </p>
      )}
      <ul>
        {versions.map(version => (
          <Version
            key={version.version}
            version={version}
            chosen={compared?.version === version.version}
          />
        ))}
      </ul>
      {compared && <Changes version={compared.version} revision={revision} />}
    </div>
  );
}

interface VersionProps {
  readonly version: FlowVersion;
  readonly chosen: boolean;
}

function Version({ version, chosen }: VersionProps) {
  const controller = useController();
  const trans = useTrans();
  return (
    <li>
      <button
        type="button"
        className="iai-version"
        aria-pressed={chosen}
        onClick={() => void show(controller, version.version, chosen)}
      >
        <span>{moment(version.saved_at, controller.services.language)}</span>
        <code>{version.version.slice(0, 8)}</code>
        {version.current && <span className="iai-badge">{trans('present')}</span>}
        {version.note && <span className="iai-muted">{version.note}</span>}
      </button>
    </li>
  );
}

/** Show a version beside the present flow; once more: stop. */
async function show(controller: Controller, version: string, shown: boolean): Promise<void> {
  if (shown) {
    controller.look({ compared: null });
    return;
  }
  const link = controller.link.get();
  const flow = await controller.attempt(async () => {
    const result = await link?.request('version', { version });
    return result ? parseFlow(result.text) : null;
  });
  if (flow) {
    controller.look({ compared: { version, flow }, scope: [], selection: new Set() });
  }
}

interface ChangesProps {
  readonly version: string;
  readonly revision: number;
}

function Changes({ version, revision }: ChangesProps) {
  const controller = useController();
  const trans = useTrans();
  const { compared } = useStore(controller.view);
  const { readOnly } = useStore(controller.document.state);
  const text = controller.document.text();
  const answer = useRequest('diff', { from: version, text }, revision);
  const changes = answer.state === 'done' ? answer.result.changes : null;
  return (
    <section className="iai-changes" aria-label={trans('Changes since this version')}>
      <h3>{trans('Changes since this version')}</h3>
      {answer.state === 'failed' && <p className="iai-muted">{answer.reason}</p>}
      {changes?.length === 0 && (
        <p className="iai-muted">{trans('Nothing that changes what the flow does.')}</p>
      )}
      <ul>
        {changes?.map((change, index) => (
          <li key={index} data-change={change.kind}>
            <button
              type="button"
              className="iai-change"
              onClick={() => reveal(controller, change.name)}
            >
              {change.text}
            </button>
          </li>
        ))}
      </ul>
      <div className="iai-row">
        <button
          type="button"
          className="iai-button iai-primary"
          disabled={readOnly || !compared}
          onClick={() => compared && restoreVersion(controller, compared)}
        >
          {trans('Restore this version')}
        </button>
        <button
          type="button"
          className="iai-button"
          onClick={() => controller.look({ compared: null })}
        >
          {trans('Stop comparing')}
        </button>
      </div>
    </section>
  );
}

function reveal(controller: Controller, name: string): void {
  const node = name.split('/')[0] ?? '';
  if (node in controller.flow.nodes) {
    controller.select([node]);
    controller.surface?.reveal([node]);
  }
}
