/** The side panel: runs and schedules. */
import { DraftsKept } from '../canvas/agent/drafts';
import { Tabs } from '../canvas/chrome/Tabs';
import { Store } from '../core/store';
import { HostContext, type PanelHost } from './host';
import { Runs } from './Runs';
import type { RunsStore } from './runsStore';
import { Schedules, type Asking } from './Schedules';
import { useStore } from './use';

export type Page = 'runs' | 'schedules';

/** What the panel shows. */
export class PanelState {
  readonly page = new Store<Page>('runs');

  constructor(
    readonly host: PanelHost,
    readonly runs: RunsStore,
    readonly asking: Asking
  ) {}

  readonly show = (run: string): void => {
    this.page.set('runs');
    this.runs.choose(run);
  };

  readonly showSchedule = (schedule: string): void => {
    this.page.set('schedules');
    this.asking.show(schedule);
  };
}

export function Panel({ state }: { readonly state: PanelState }) {
  const page = useStore(state.page);
  const { trans } = state.host;
  const tabs = [
    { id: 'runs', label: trans('Runs') },
    { id: 'schedules', label: trans('Schedules') }
  ] as const;
  return (
    <HostContext.Provider value={state.host}>
      <DraftsKept>
        <div className="iai-root iai-Panel-body">
          <Tabs
            label={trans('Runs and schedules')}
            tabs={tabs}
            active={page}
            onActive={next => state.page.set(next)}
          >
            <div className="iai-Panel-page">
              {page === 'runs' ? (
                <Runs store={state.runs} />
              ) : (
                <Schedules asking={state.asking} runs={state.runs} onRun={state.show} />
              )}
            </div>
          </Tabs>
        </div>
      </DraftsKept>
    </HostContext.Provider>
  );
}
