/** What is wrong with the flow, with the codes of `iaiflow validate`; a click goes there. */
import { useMemo } from 'react';
import type { Controller } from '../../core/controller';
import { placeOf } from '../../core/problems';
import type { Hello } from '../../core/link';
import type { Problem } from '../../core/protocol';
import { Store } from '../../core/store';
import { useController, useStore } from '../hooks';
import { useStatus, useTrans } from '../chrome/use';

const NO_INFO = new Store<Hello | null>(null);

export function Problems() {
  const controller = useController();
  const trans = useTrans();
  const problems = useStore(controller.problems);
  const status = useStatus(controller);
  const info = useStore(useStore(controller.link)?.info ?? NO_INFO);
  const sorted = useMemo(
    () => [...problems].sort((one, other) => rank(one) - rank(other)),
    [problems]
  );
  const missing = info?.catalog_problems ?? [];
  return (
    <div className="iai-problems">
      {sorted.length === 0 && (
        <p className="iai-pad iai-muted">
          {status === 'ready'
            ? trans('No problems found.')
            : trans('Choose a kernel to have the flow checked.')}
        </p>
      )}
      <ul>
        {sorted.map((problem, index) => (
          <li key={`${problem.code} ${problem.place} ${index}`}>
            <button
              type="button"
              className="iai-problem"
              data-severity={problem.severity}
              onClick={() => goTo(controller, problem)}
            >
              <span className="iai-problem-head">
                <span className="iai-severity">
                  {problem.severity === 'error' ? trans('Error') : trans('Warning')}
                </span>
                <code>{problem.code}</code> <bdi className="iai-quiet">{problem.place}</bdi>
              </span>
              <span>{problem.message}</span>
              {problem.remedy && <span className="iai-muted">{problem.remedy}</span>}
            </button>
          </li>
        ))}
      </ul>
      {missing.length > 0 && (
        <>
          <h3>{trans('Node types that cannot be loaded')}</h3>
          <ul>
            {missing.map(text => (
              <li key={text} className="iai-pad">
                {text}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function rank(problem: Problem): number {
  return problem.severity === 'error' ? 0 : 1;
}

/** Open the nested flow where the problem is, and select its node or edge. */
function goTo(controller: Controller, problem: Problem): void {
  const { scope, node, edge } = placeOf(problem);
  controller.look({ scope, quick: null, renaming: null, wiring: null });
  const known = node in controller.flow.nodes;
  controller.select(known ? [node] : [], edge === null ? [] : [edge]);
  const [source, target] = ends(controller, edge);
  controller.surface?.reveal(known ? [node] : [source, target].filter(id => id !== undefined));
  controller.toggle('inspector', true);
}

function ends(controller: Controller, edge: number | null): (string | undefined)[] {
  const found = edge === null ? undefined : controller.flow.edges[edge];
  return [found?.source, found?.target].map(id =>
    id !== undefined && id in controller.flow.nodes ? id : undefined
  );
}
