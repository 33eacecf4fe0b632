/** Tabs, by mouse and by arrow keys. */
import { useId, useRef, type KeyboardEvent, type ReactNode } from 'react';
import type { Problem } from '../../core/protocol';

export interface Tab<Id extends string> {
  readonly id: Id;
  readonly label: string;
  /** A count or mark after the label. */
  readonly mark?: string;
  readonly severity?: Problem['severity'];
}

/** The mark of a tab that shows problems; as severe as the worst of them. */
export function markOf(
  problems: readonly Problem[],
  mark: string
): Pick<Tab<string>, 'mark' | 'severity'> {
  const worst = problems.some(problem => problem.severity === 'error') ? 'error' : 'warning';
  return problems.length > 0 ? { mark, severity: worst } : {};
}

interface Props<Id extends string> {
  readonly label: string;
  readonly tabs: readonly Tab<Id>[];
  readonly active: Id;
  readonly onActive: (id: Id) => void;
  /** Stands at the end of the row of tabs. */
  readonly end?: ReactNode;
  readonly children: ReactNode;
}

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };

export function Tabs<Id extends string>(props: Props<Id>) {
  const { label, tabs, active, onActive, end, children } = props;
  const prefix = useId();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const index = tabs.findIndex(tab => tab.id === active);
    const next = nextIndex(event.key, index, tabs.length);
    const tab = next === null ? undefined : tabs[next];
    if (tab) {
      event.preventDefault();
      onActive(tab.id);
      list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next ?? 0]?.focus();
    }
  };
  return (
    <div className="iai-tabs">
      <div className="iai-tab-row">
        <div className="iai-tab-list" role="tablist" aria-label={label} ref={list}>
          {tabs.map(tab => (
            <button
              key={tab.id}
              type="button"
              role="tab"
              id={`${prefix}-${tab.id}`}
              aria-selected={tab.id === active}
              aria-controls={`${prefix}-panel`}
              tabIndex={tab.id === active ? 0 : -1}
              className="iai-tab"
              onClick={() => onActive(tab.id)}
              onKeyDown={onKeyDown}
            >
              {tab.label}{' '}
              {tab.mark && (
                <span className="iai-tab-mark" data-severity={tab.severity}>
                  {tab.mark}
                </span>
              )}
            </button>
          ))}
        </div>
        {end}
      </div>
      <div
        className="iai-tab-panel"
        role="tabpanel"
        id={`${prefix}-panel`}
        aria-labelledby={`${prefix}-${active}`}
        tabIndex={0} // it may scroll, whatever is in it
      >
        {children}
      </div>
    </div>
  );
}

function nextIndex(key: string, index: number, count: number): number | null {
  const step = STEPS[key];
  if (step !== undefined) {
    return (index + step + count) % count;
  }
  return key === 'Home' ? 0 : key === 'End' ? count - 1 : null;
}
