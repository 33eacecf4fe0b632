/** When a node worked, where its outcome came from, and the configuration that it got. */
import type { ReactNode } from 'react';
import { clock, duration } from '../../../core/format';
import { useFlow, useNow, useRequest, useStatus, useTrans } from '../../chrome/use';
import { sourceText, stateText } from '../../chrome/words';
import { useController, useNode, useRuns, useStore } from '../../hooks';
import { JsonTree } from '../../outputs';

export function Details({ id }: { readonly id: string }) {
  const trans = useTrans();
  return (
    <div className="iai-pad">
      <h3>{trans('Timing')}</h3>
      <Timing id={id} />
      <h3>{trans('Settings as the node gets them')}</h3>
      <Resolved id={id} />
      <h3>{trans('Node type')}</h3>
      <TypeFacts id={id} />
    </div>
  );
}

type Facts = readonly (readonly [name: string, value: ReactNode])[];

function FactList({ facts }: { readonly facts: Facts }) {
  return (
    <dl className="iai-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Timing({ id }: { readonly id: string }) {
  const controller = useController();
  const trans = useTrans();
  const { language } = controller.services;
  const state = useNode(useRuns(controller), controller.path(id));
  const now = useNow(state.state === 'running');
  const { started_at: started, ended_at: ended, items } = state;
  const facts: [string, ReactNode][] = [[trans('State'), stateText(trans, state.state)]];
  if (started !== null) {
    facts.push([trans('Started'), clock(started, language)]);
    facts.push([trans('Took'), duration((ended ?? now) - started)]);
  }
  if (ended !== null) {
    facts.push([trans('Ended'), clock(ended, language)]);
  }
  if (state.attempt > 0) {
    facts.push([trans('Attempt'), state.attempt]);
  }
  if (state.source) {
    facts.push([trans('Outcome'), sourceText(trans, state.source)]);
  }
  if (items) {
    const { done, total, failed } = items;
    facts.push([
      trans('Items'),
      trans('{done} of {total}, {failed} failed', { done, total, failed })
    ]);
  }
  return <FactList facts={facts} />;
}

function Resolved({ id }: { readonly id: string }) {
  const controller = useController();
  const trans = useTrans();
  const status = useStatus(controller);
  useFlow(controller);
  const text = controller.document.text();
  const answer = useRequest('resolved', { text, path: controller.path(id) });
  if (status !== 'ready') {
    return <p className="iai-muted">{trans('Choose a kernel to see them.')}</p>;
  }
  if (answer.state === 'failed') {
    return <p className="iai-muted">{answer.reason}</p>;
  }
  return answer.state === 'done' ? (
    <JsonTree
      text={JSON.stringify(answer.result.config)}
      services={controller.services}
      label={trans('Settings as the node gets them')}
      open={2}
    />
  ) : (
    <p className="iai-muted">{trans('Loading…')}</p>
  );
}

function TypeFacts({ id }: { readonly id: string }) {
  const controller = useController();
  const trans = useTrans();
  const node = useFlow(controller).nodes[id];
  const type = useStore(controller.catalog).get(node?.type ?? '');
  if (!node || !type) {
    return <p className="iai-muted">{trans('It is not installed here.')}</p>;
  }
  const effects = {
    none: trans('None: its results may be stored'),
    read: trans('Reads the outside world'),
    write: trans('Changes the outside world')
  };
  const places: Record<string, string> = {
    cell: trans('A cell of this notebook'),
    file: trans('A file of the workspace: {name}', { name: type.source.name }),
    pack: type.source.name
  };
  const facts: Facts = [
    [trans('Name'), <code key="name">{type.type}</code>],
    [trans('Version'), node.version ?? 1],
    [trans('Effects'), effects[type.effects]],
    [trans('Comes from'), places[type.source.kind] ?? type.source.name]
  ];
  return <FactList facts={facts} />;
}
