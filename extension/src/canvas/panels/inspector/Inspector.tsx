/** What is selected: its settings, values, logs and timing. Without a selection: the flow itself. */
import { useEffect, useState } from 'react';
import { chosenNodes } from '../../../core/commands/selected';
import type { Controller } from '../../../core/controller';
import { problemsByNode } from '../../../core/problems';
import { tracePort } from '../../../core/agentTrace';
import type { NodeState, Problem } from '../../../core/protocol';
import { CommandButton } from '../../chrome/Buttons';
import { Tabs, markOf } from '../../chrome/Tabs';
import { useFlow, useTrans } from '../../chrome/use';
import { useController, useNodePart, useRuns, useSelect, useStore } from '../../hooks';
import { isLive } from '../../outputs';
import { Agent } from './Agent';
import { Details } from './Details';
import { FlowSettings } from './FlowSettings';
import { Logs } from './Logs';
import { NodeHead } from './NodeHead';
import { NodeSettings } from './NodeSettings';
import { Setup } from './Setup';
import { Values } from './Values';
import { Waiting } from './Waiting';

type Page = 'agent' | 'setup' | 'values' | 'logs' | 'options' | 'details';

export function Inspector() {
  const controller = useController();
  useStore(controller.document.flow);
  const { edges } = useStore(controller.view);
  const nodes = chosenNodes(controller);
  const [only] = nodes;
  if (only === undefined) {
    const [edge] = edges;
    return edge === undefined ? <FlowSettings /> : <EdgeInfo index={edge} />;
  }
  return nodes.length > 1 ? (
    <Several count={nodes.length} />
  ) : (
    <OneNode key={controller.path(only)} id={only} />
  );
}

function OneNode({ id }: { readonly id: string }) {
  const controller = useController();
  const trans = useTrans();
  const problems = useProblems(id);
  const [page, setPage] = useState<Page>(() => firstPage(controller, id));
  useOpened(controller.path(id), setPage);
  const hasRun = useNodePart(useRuns(controller), controller.path(id), hasTrace);
  const isAgent = hasRun || canTalk(controller, id);
  const tabs = [
    { id: 'setup' as const, label: trans('Setup'), ...markOf(problems, '!') },
    ...(isAgent ? [{ id: 'agent' as const, label: trans('Agent') }] : []),
    { id: 'values' as const, label: trans('Values') },
    { id: 'logs' as const, label: trans('Log') },
    { id: 'options' as const, label: trans('Options') },
    { id: 'details' as const, label: trans('Details') }
  ];
  const pages: Record<Page, () => React.ReactNode> = {
    agent: () => <Agent path={controller.path(id)} />,
    setup: () => <Setup id={id} problems={problems} />,
    values: () => <Values id={id} />,
    logs: () => <Logs path={controller.path(id)} />,
    options: () => <NodeSettings id={id} />,
    details: () => <Details id={id} />
  };
  const present = page === 'agent' && !isAgent ? 'values' : page;
  return (
    <div className="iai-inspector">
      <NodeHead id={id} />
      <Waiting path={controller.path(id)} />
      <Tabs label={trans('Inspector')} tabs={tabs} active={present} onActive={setPage}>
        {pages[present]()}
      </Tabs>
    </div>
  );
}

/** Whether it is an agent that can be talked with from here. */
function canTalk(controller: Controller, id: string): boolean {
  const { type } = controller.document.flow.get().nodes[controller.path(id)] ?? {};
  return type === 'agent' && controller.services.openChat !== null;
}

function hasTrace({ outputs }: NodeState): boolean {
  return tracePort(outputs) !== null;
}

/** Show the values when one of them is opened, and forget it with the node. */
function useOpened(path: string, onPage: (page: Page) => void): void {
  const { view } = useController();
  const opened = useSelect(view, present => present.opened);
  useEffect(() => {
    if (opened?.path === path) {
      onPage('values');
    }
  }, [opened, path, onPage]);
  useEffect(
    () => () => {
      if (view.get().opened?.path === path) {
        view.update(present => ({ ...present, opened: null }));
      }
    },
    [view, path]
  );
}

/** The values of a node that failed begin with the reason; of an agent one sees what it does. */
function firstPage(controller: Controller, id: string): Page {
  const state = controller.link.get()?.runs.node(controller.path(id));
  if (state?.state === 'failed') {
    return 'values';
  }
  return state && isLive(state) && hasTrace(state) ? 'agent' : 'setup';
}

const NO_PROBLEMS: readonly Problem[] = [];

function useProblems(id: string): readonly Problem[] {
  const controller = useController();
  const problems = useStore(controller.problems);
  const { scope } = useStore(controller.view);
  return problemsByNode(problems, scope).get(id) ?? NO_PROBLEMS;
}

function Several({ count }: { readonly count: number }) {
  const trans = useTrans();
  const ids = [
    'align-left',
    'align-center',
    'align-right',
    'align-top',
    'align-middle',
    'align-bottom',
    'distribute-horizontally',
    'distribute-vertically',
    'arrange',
    'group',
    'ungroup',
    'extract',
    'duplicate',
    'delete'
  ];
  return (
    <div className="iai-pad">
      <h3>{trans('{count} nodes selected', { count })}</h3>
      <div className="iai-grid">
        {ids.map(id => (
          <CommandButton key={id} id={id} />
        ))}
      </div>
    </div>
  );
}

function EdgeInfo({ index }: { readonly index: number }) {
  const controller = useController();
  const trans = useTrans();
  const edge = useFlow(controller).edges[index];
  if (!edge) {
    return null;
  }
  return (
    <div className="iai-pad">
      <h3>{trans('Connection')}</h3>
      <p>
        <bdi>
          {edge.source}.{edge.sourcePort}
        </bdi>{' '}
        →{' '}
        <bdi>
          {edge.target}.{edge.targetPort}
        </bdi>
      </p>
      <CommandButton id="delete" />
    </div>
  );
}
