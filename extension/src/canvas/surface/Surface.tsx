/** The graph on its surface: nodes, wires, groups and notes, with mouse and keyboard. */
import { ReactFlowProvider } from '@xyflow/react';
import { useId, useMemo, useState } from 'react';
import type { Controller } from '../../core/controller';
import { problemsByNode } from '../../core/problems';
import { ControllerContext, useSelect, useStore } from '../hooks';
import { Board } from './Board';
import { PrefixContext, ProblemsContext, SharedContext } from './context';
import { Shared } from './lights';

export function Surface({ controller }: { readonly controller: Controller }) {
  const [shared] = useState(() => new Shared(controller));
  const prefix = useId();
  const problems = useStore(controller.problems);
  const scope = useSelect(controller.view, view => view.scope);
  const byNode = useMemo(() => problemsByNode(problems, scope), [problems, scope]);
  return (
    <ControllerContext.Provider value={controller}>
      <SharedContext.Provider value={shared}>
        <PrefixContext.Provider value={prefix}>
          <ProblemsContext.Provider value={byNode}>
            <ReactFlowProvider>
              <Board />
            </ReactFlowProvider>
          </ProblemsContext.Provider>
        </PrefixContext.Provider>
      </SharedContext.Provider>
    </ControllerContext.Provider>
  );
}
