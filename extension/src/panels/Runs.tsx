/** The list of runs, and one of them in detail. */
import type { RunSummary } from '../api/types';
import { stateText } from '../canvas/chrome/words';
import type { RunState } from '../core/protocol';
import { Back, Details } from './Details';
import { Search } from './Search';
import { useHost } from './host';
import { Results, SearchField } from './LogSearch';
import { Room } from './Room';
import { shown, type RunsStore } from './runsStore';
import { Unreachable } from './Unreachable';
import { useAsked, useStore } from './use';
import { useRoving } from './useRoving';
import { fileName, GLYPHS, reasonOf, took, when } from './words';

const STATES: readonly RunState[] = [
  'running',
  'queued',
  'waiting',
  'retrying',
  'failed',
  'completed',
  'cancelled',
  'draft'
];

export function Runs({ store }: { readonly store: RunsStore }) {
  const state = useStore(store.state);
  if (state.lost) {
    return <Unreachable reason={state.lost} onRetry={() => void store.load()} />;
  }
  if (state.chosen) {
    return <Chosen key={state.chosen} store={store} id={state.chosen} />;
  }
  return (
    <>
      <Room runs={state.runs} />
      <SearchField store={store} />
      {state.search.text.trim() ? (
        <Results store={store} />
      ) : (
        <>
          <Filters store={store} />
          <List store={store} />
        </>
      )}
    </>
  );
}

/** A run that the list does not show is asked for; it may have been removed. */
function Chosen({ store, id }: { readonly store: RunsStore; readonly id: string }) {
  const { client, trans } = useHost();
  const { runs, place } = useStore(store.state);
  const listed = runs.find(run => run.id === id) ?? null;
  const { result, error } = useAsked(() => client.run(id), `${id} ${listed === null}`);
  const summary = listed ?? (error ? null : result);
  if (summary) {
    return (
      <Details
        summary={summary}
        place={place}
        onClose={() => store.choose('')}
        onRun={other => store.choose(other)}
      />
    );
  }
  return (
    <>
      <Back onClose={() => store.choose('')} />
      <p className="iai-Panel-quiet" role="status">
        {error || trans('Loading…')}
      </p>
    </>
  );
}

function Filters({ store }: { readonly store: RunsStore }) {
  const { trans } = useHost();
  const { filter } = useStore(store.state);
  return (
    <div className="iai-Panel-row">
      <select
        aria-label={trans('State')}
        value={filter.state}
        onChange={event => store.filter({ state: event.currentTarget.value })}
      >
        <option value="">{trans('All states')}</option>
        {STATES.map(state => (
          <option key={state} value={state}>
            {stateText(trans, state)}
          </option>
        ))}
      </select>
      <Search
        label={trans('Flow or notebook')}
        text={filter.flow}
        onText={flow => store.filter({ flow })}
      />
    </div>
  );
}

function List({ store }: { readonly store: RunsStore }) {
  const { trans } = useHost();
  const state = useStore(store.state);
  const list = useRoving<HTMLUListElement>('button', `[data-run="${store.left}"]`);
  const runs = shown(state);
  const filtered = state.filter.state !== '' || state.filter.flow !== '';
  if (runs.length === 0 && !state.loading) {
    return (
      <p className="iai-Panel-quiet">
        {filtered
          ? trans('No run fits.')
          : trans('No runs yet. Queue a notebook or flow by the button in its toolbar.')}
      </p>
    );
  }
  return (
    <>
      <ul className="iai-Runs" aria-label={trans('Runs')} {...list}>
        {runs.map(run => (
          <Line key={run.id} run={run} onChoose={() => store.choose(run.id)} />
        ))}
      </ul>
      {state.more && (
        <div className="iai-Panel-row">
          <button type="button" disabled={state.loading} onClick={() => void store.older()}>
            {trans('Show older runs')}
          </button>
        </div>
      )}
    </>
  );
}

function Line({ run, onChoose }: { readonly run: RunSummary; onChoose(): void }) {
  const { trans, language } = useHost();
  const reason = reasonOf(run, trans, language);
  return (
    <li>
      <button
        type="button"
        className="iai-Runs-run"
        data-run={run.id}
        onClick={onChoose}
        title={run.flow}
      >
        <span className="iai-Runs-head">
          <span className="iai-Run-state" data-state={run.state}>
            <span aria-hidden="true">{GLYPHS[run.state]}</span> {stateText(trans, run.state)}
          </span>
          <b>{fileName(run.flow)}</b>
        </span>
        <span className="iai-Panel-quiet">
          {[when(run.started_at ?? run.created_at, language), took(run)]
            .filter(Boolean)
            .join(' · ')}
        </span>
        {reason && <span className="iai-Runs-reason">{reason}</span>}
      </button>
    </li>
  );
}
