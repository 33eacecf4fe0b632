/** The bar of a canvas whose host has none: in a notebook's output, or on a plain page. */
import { useRef, type KeyboardEvent } from 'react';
import { duration } from '../../core/format';
import { isActive } from '../../core/commands/going';
import { useController } from '../hooks';
import { CommandButton } from './Buttons';
import { stateText } from './words';
import { useNow, useRun, useStatus, useTrans } from './use';

export function Toolbar() {
  const trans = useTrans();
  const bar = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const buttons = [...(bar.current?.querySelectorAll<HTMLElement>('button:enabled') ?? [])];
    const index = buttons.indexOf(event.target as HTMLElement);
    if (step !== 0 && index >= 0) {
      event.preventDefault();
      buttons[(index + step + buttons.length) % buttons.length]?.focus();
    }
  };
  return (
    <div
      className="iai-toolbar"
      role="toolbar"
      aria-label={trans('Canvas')}
      ref={bar}
      onKeyDown={onKeyDown}
    >
      <CommandButton id="toggle-palette" icon="add" named>
        {trans('Add')}
      </CommandButton>
      <RunButton />
      <CommandButton id="stop" icon="stop" />
      <span className="iai-gap" />
      <CommandButton id="undo" icon="undo" />
      <CommandButton id="redo" icon="redo" />
      <CommandButton id="arrange" icon="arrange" />
      <CommandButton id="fit" icon="fit" />
      <CommandButton id="find" icon="search" />
      <span className="iai-stretch" />
      <RunStatus />
      <CommandButton id="toggle-inspector" className="iai-wide-only" />
      <CommandButton id="toggle-timeline" className="iai-wide-only" />
      <CommandButton id="toggle-history" className="iai-wide-only" />
      <CommandButton id="toggle-problems" className="iai-wide-only" />
      <CommandButton id="command-list" icon="more" />
    </div>
  );
}

function RunButton() {
  return <CommandButton id="run-all" icon="play" named className="iai-primary" />;
}

/** How the present run stands, and for how long. */
export function RunStatus() {
  const controller = useController();
  const trans = useTrans();
  const status = useStatus(controller);
  const run = useRun(controller);
  const now = useNow(isActive(run.state));
  if (status === null) {
    return <span className="iai-run-status">{trans('No kernel')}</span>;
  }
  if (status === 'connecting' || status === 'returning') {
    return <span className="iai-run-status">{trans('Connecting…')}</span>;
  }
  if (!run.state) {
    return null;
  }
  const spent = run.started_at === null ? null : (run.ended_at ?? now) - run.started_at;
  return (
    <span className="iai-run-status" data-state={run.state}>
      {stateText(trans, run.state)}
      {spent !== null && <span className="iai-quiet"> {duration(spent)}</span>}
    </span>
  );
}
