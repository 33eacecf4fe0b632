/** The selected node's names, its state, and the buttons that run it. */
import { useState } from 'react';
import { attemptEdit } from '../../../core/attempt';
import { duration } from '../../../core/format';
import { renameNode, setTitle } from '../../../core/edits/nodes';
import { CommandButton } from '../../chrome/Buttons';
import { useFlow, useNow, useTrans } from '../../chrome/use';
import { stateText } from '../../chrome/words';
import { useController, useNode, useReadOnly, useRuns, useStore } from '../../hooks';

export function NodeHead({ id }: { readonly id: string }) {
  const controller = useController();
  const trans = useTrans();
  const node = useFlow(controller).nodes[id];
  const type = useStore(controller.catalog).get(node?.type ?? '');
  const readOnly = useReadOnly(controller);
  if (!node) {
    return null;
  }
  return (
    <header className="iai-node-head">
      <label className="iai-field">
        <span>{trans('Title')}</span>
        <input
          className="iai-input"
          value={node.title ?? ''}
          placeholder={type?.title || node.type}
          readOnly={readOnly}
          onChange={event => {
            const title = event.currentTarget.value;
            const label = trans('Change the title');
            attemptEdit(controller, label, flow => setTitle(flow, id, title), `title:${id}`);
          }}
        />
      </label>
      <div className="iai-row">
        <IdField id={id} readOnly={readOnly} />
        <span className="iai-quiet">{node.type}</span>
        <NodeStatus id={id} />
      </div>
      <div className="iai-row" role="group" aria-label={trans('Run')}>
        <CommandButton id="run-until" icon="play" named>
          {trans('To here')}
        </CommandButton>
        <CommandButton id="run-only">{trans('Only this')}</CommandButton>
        <CommandButton id="run-from">{trans('From here')}</CommandButton>
      </div>
    </header>
  );
}

interface IdProps {
  readonly id: string;
  readonly readOnly: boolean;
}

/** The id is changed when one is done typing, since edges follow it. */
function IdField({ id, readOnly }: IdProps) {
  const controller = useController();
  const trans = useTrans();
  const [text, setText] = useState(id);
  const commit = (): void => {
    if (text === id) {
      return;
    }
    const renamed = attemptEdit(controller, trans('Change the id'), flow =>
      renameNode(flow, id, text)
    );
    if (renamed && text in controller.flow.nodes) {
      controller.select([text]);
    } else {
      setText(id);
    }
  };
  return (
    <input
      className="iai-input iai-id"
      aria-label={trans('Id')}
      value={text}
      readOnly={readOnly}
      spellCheck={false}
      onChange={event => setText(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={event => {
        if (event.key === 'Enter') {
          commit();
        }
      }}
    />
  );
}

function NodeStatus({ id }: { readonly id: string }) {
  const controller = useController();
  const trans = useTrans();
  const state = useNode(useRuns(controller), controller.path(id));
  const now = useNow(state.state === 'running');
  const spent = state.started_at === null ? null : (state.ended_at ?? now) - state.started_at;
  return (
    <span className="iai-run-status" data-state={state.state}>
      {stateText(trans, state.state)}
      {spent !== null && state.state !== 'pending' && ` ${duration(spent)}`}
      {state.stale && <span className="iai-badge">{trans('out of date')}</span>}
    </span>
  );
}
