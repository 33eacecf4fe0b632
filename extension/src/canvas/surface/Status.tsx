/** What a node is doing, on its card. */
import type { NodeState, StepState } from '../../core/protocol';
import { duration } from '../../core/format';
import { stateText } from '../chrome/words';
import { useController } from '../hooks';
import { useNow } from './clock';

const GLYPHS: Readonly<Record<StepState, string>> = {
  pending: '○',
  running: '◔',
  retrying: '↻',
  waiting: '◷',
  completed: '✓',
  failed: '✕',
  skipped: '⤼',
  cancelled: '■'
};

/** Whether there is something to say about a node. */
export function isQuiet(state: NodeState): boolean {
  return state.state === 'pending' && state.started_at === null && !state.stale;
}

export function Status({ state, id }: { readonly state: NodeState; readonly id: string }) {
  const { trans } = useController().services;
  return (
    <div className="iai-status" id={id} data-state={state.state}>
      <span className="iai-status-glyph" aria-hidden="true">
        {GLYPHS[state.state]}
      </span>
      <span className="iai-status-text">{stateText(trans, state.state)}</span>
      {state.attempt > 1 && (
        <span className="iai-mark">{trans('attempt {count}', { count: state.attempt })}</span>
      )}
      {state.source === 'cache' && <span className="iai-mark">{trans('from cache')}</span>}
      {state.source === 'pin' && <span className="iai-mark">{trans('pinned')}</span>}
      {(state.source === 'replay' || state.source === 'earlier') && (
        <span className="iai-mark">{trans('earlier run')}</span>
      )}
      {state.stale && <span className="iai-mark iai-mark-stale">{trans('out of date')}</span>}
      <span className="iai-status-end">
        <Items state={state} />
        <Elapsed state={state} />
      </span>
    </div>
  );
}

function Items({ state: { items } }: { readonly state: NodeState }) {
  const { trans } = useController().services;
  if (!items) {
    return null;
  }
  const { done, total, failed } = items;
  return (
    <span className="iai-items" data-failed={failed > 0 || undefined}>
      {failed > 0
        ? trans('{done}/{total}, {failed} failed', { done, total, failed })
        : `${done}/${total}`}
    </span>
  );
}

function Elapsed({ state }: { readonly state: NodeState }) {
  if (state.started_at === null) {
    return null;
  }
  if (state.ended_at !== null) {
    return <span className="iai-elapsed">{duration(state.ended_at - state.started_at)}</span>;
  }
  return ['running', 'retrying', 'waiting'].includes(state.state) ? (
    <Ticking since={state.started_at} />
  ) : null;
}

function Ticking({ since }: { readonly since: number }) {
  return <span className="iai-elapsed">{duration(Math.max(0, useNow() - since))}</span>;
}

/** How far it is: what the node said, or the share of a map's items. */
export function Progress({ state }: { readonly state: NodeState }) {
  const { trans } = useController().services;
  const { share, items } = state;
  const known = share ?? (items && items.total > 0 ? items.done / items.total : null);
  if (state.state !== 'running' && state.state !== 'retrying') {
    return null;
  }
  return (
    <div
      className="iai-progress"
      role="progressbar"
      aria-label={trans('Progress')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={known === null ? undefined : Math.round(known * 100)}
      data-unknown={known === null || undefined}
    >
      <div style={known === null ? undefined : { transform: `scaleX(${Math.min(1, known)})` }} />
    </div>
  );
}
