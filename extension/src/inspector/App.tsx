/** The whole inspector: timeline or search, what is opened, and how much there is. */
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { Tabs } from '../canvas/chrome/Tabs';
import { useTheme } from '../canvas/chrome/theme';
import { useInspector, useShared, useStore } from './context';
import { DetailPanel } from './Detail';
import { FilterButton, Filters } from './Filters';
import { Foot } from './Foot';
import { SearchView } from './Search';
import { TimelineView } from './Timeline';

export function App() {
  const { model, trans, language } = useShared();
  const { view, opened, said } = useInspector();
  const root = useReturningFocus(opened?.id ?? null);
  const filters = useId();
  const [isLimiting, setLimiting] = useState(false);
  const tabs = [
    { id: 'timeline', label: trans('Timeline') },
    { id: 'search', label: trans('Search') }
  ] as const;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !opened) {
      return;
    }
    event.preventDefault();
    if (opened.doing) {
      model.begin('');
    } else {
      model.close();
    }
  };
  return (
    <div className="iai-root iai-memory-root" data-theme={useTheme()} lang={language}>
      <div
        className="iai-memory"
        role="region"
        aria-label={trans('Memory')}
        ref={root}
        onKeyDown={onKeyDown}
        onContextMenu={event => event.stopPropagation()}
      >
        <Notices />
        <Tabs
          label={trans('Memory')}
          tabs={tabs}
          active={view}
          onActive={next => model.show(next)}
          end={
            <div className="iai-memory-row-of">
              <FilterButton
                id={filters}
                open={isLimiting}
                onToggle={() => setLimiting(!isLimiting)}
              />
              <Refresh />
            </div>
          }
        >
          <Filters id={filters} open={isLimiting} />
          <div
            className="iai-memory-body"
            data-open={opened && (opened.view === view ? 'here' : 'beside')}
          >
            {view === 'timeline' ? <TimelineView /> : <SearchView />}
            {opened && <DetailPanel key={opened.id} opened={opened} />}
          </div>
        </Tabs>
        <Foot />
        <div className="iai-memory-said" role="status" aria-live="polite">
          {said}
        </div>
      </div>
    </div>
  );
}

function Refresh() {
  const { model, trans } = useShared();
  const gone = useStore(model.line.gone);
  return (
    <button
      type="button"
      className="iai-memory-button"
      disabled={gone}
      onClick={() => void model.start()}
    >
      {trans('Refresh')}
    </button>
  );
}

/** What a person must know about the kernel, and about the memory as a whole. */
function Notices() {
  const { model, trans } = useShared();
  const { fault, hello } = useInspector();
  const gone = useStore(model.line.gone);
  const slow = useStore(model.line.slow);
  if (gone) {
    return (
      <Notice
        text={trans(
          'The kernel is gone; what is shown is from before. Run the cell again to go on.'
        )}
      />
    );
  }
  if (fault) {
    return <Notice text={fault} />;
  }
  if (slow) {
    return <Notice text={trans('The kernel is busy; the answer comes when it is idle.')} calm />;
  }
  return hello?.read_only ? (
    <Notice text={trans('This is the past, to be read only.')} calm />
  ) : null;
}

function Notice({ text, calm = false }: { readonly text: string; readonly calm?: boolean }) {
  return (
    <p className="iai-memory-notice" role={calm ? 'status' : 'alert'} data-calm={calm}>
      {text}
    </p>
  );
}

/** When what was opened is closed, the focus goes back to where it was opened. */
function useReturningFocus(id: string | null) {
  const root = useRef<HTMLDivElement>(null);
  const last = useRef<string | null>(null);
  useEffect(() => {
    const left = last.current;
    last.current = id;
    if (left === null || id !== null) {
      return;
    }
    const rows = [...(root.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
    const goal =
      rows.find(row => row.dataset.row === left) ??
      rows[0] ??
      root.current?.querySelector<HTMLElement>('[role=tab][aria-selected=true]');
    goal?.focus();
  }, [id]);
  return root;
}
