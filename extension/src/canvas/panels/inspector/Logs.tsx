/** What a node wrote: the newest lines live, earlier ones by the page. */
import { useState } from 'react';
import { Check } from '../../chrome/Check';
import { useRequest, useTrans } from '../../chrome/use';
import { useController, useNode, useRuns } from '../../hooks';
import { LogView, Pager } from '../../outputs';

const PAGE = 1000;

export function Logs({ path }: { readonly path: string }) {
  const controller = useController();
  const trans = useTrans();
  const state = useNode(useRuns(controller), path);
  const [all, setAll] = useState(false);
  return (
    <div className="iai-pad iai-logs">
      <Check label={trans('From the beginning')} checked={all} onChecked={setAll} />
      {all ? (
        <WholeLog path={path} />
      ) : state.log ? (
        <LogView text={state.log} label={trans('Log')} follow />
      ) : (
        <p className="iai-muted">{trans('It has written nothing yet.')}</p>
      )}
    </div>
  );
}

function WholeLog({ path }: { readonly path: string }) {
  const controller = useController();
  const trans = useTrans();
  const state = useNode(useRuns(controller), path);
  const [offset, setOffset] = useState(0);
  const answer = useRequest('logs', { path, offset, limit: PAGE }, state.ended_at);
  if (answer.state === 'failed') {
    return <p className="iai-muted">{answer.reason}</p>;
  }
  if (answer.state !== 'done') {
    return (
      <p className="iai-muted">
        {answer.state === 'none' ? trans('Choose a kernel to read logs.') : trans('Loading…')}
      </p>
    );
  }
  const { lines, total } = answer.result;
  return (
    <>
      <LogView text={lines.join('\n')} label={trans('Log')} />
      <Pager
        {...{ offset, total }}
        count={lines.length}
        page={PAGE}
        unit="rows"
        services={controller.services}
        onOffset={setOffset}
      />
    </>
  );
}
