/** The search for a node to add, at the pointer; a dangling wire leaves only what it fits. */
import { useMemo, useState } from 'react';
import type { QuickSearch as Opened } from '../../core/controller';
import type { NodeType } from '../../core/catalog';
import { insertOnEdge } from '../../core/edits/edges';
import type { Edge, Flow } from '../../core/flow';
import { sameEdge } from '../../core/graph';
import type { Trans } from '../../core/i18n';
import { searchTypes } from '../../core/search';
import { useController, useStore } from '../hooks';
import { freePlace, placeNode } from '../surface/place';
import { Picker } from './Picker';
import { TypeLine } from './TypeLine';
import { useFlow, useTrans } from './use';

/** Room that the box needs, in pixels. */
const WIDTH = 320;
const HEIGHT = 340;
const MOST = 60;

export function QuickSearch() {
  const controller = useController();
  const { quick } = useStore(controller.view);
  return quick ? <Box key={quick.screen.join()} opened={quick} /> : null;
}

function Box({ opened }: { readonly opened: Opened }) {
  const controller = useController();
  const trans = useTrans();
  const flow = useFlow(controller);
  const catalog = useStore(controller.catalog);
  const [query, setQuery] = useState('');
  const { wire, at, screen } = opened;
  const edge = placeOf(flow, opened.edge);
  const found = useMemo(() => {
    const fits = ({ type }: NodeType): boolean =>
      edge < 0 || insertOnEdge(flow, catalog, edge, type, at) !== null;
    return searchTypes(catalog, query, wire, flow).filter(fits).slice(0, MOST);
  }, [catalog, query, wire, edge, at, flow]);
  const close = (): void => {
    controller.look({ quick: null });
    controller.surface?.back();
  };
  const [left, top] = screen;
  return (
    <div
      className="iai-quick"
      style={{
        left: `max(8px, min(${left}px, 100% - ${WIDTH + 8}px))`,
        top: `max(8px, min(${top}px, 100% - ${HEIGHT + 8}px))`
      }}
    >
      <Picker
        label={labelOf(opened, trans)}
        placeholder={trans('Search nodes')}
        items={found}
        keyOf={type => type.type}
        show={type => <TypeLine type={type} />}
        empty={
          wire || opened.edge ? trans('No node takes this wire.') : trans('No node is called that.')
        }
        query={query}
        onQuery={setQuery}
        onPick={type => {
          close();
          placeNode(controller, type.type, freePlace(flow, at), { wire, edge });
        }}
        onClose={close}
      />
    </div>
  );
}

function labelOf({ wire, edge }: Opened, trans: Trans): string {
  if (edge) {
    return trans('Add a node into this wire');
  }
  return wire ? trans('Add a node at the end of this wire') : trans('Add a node');
}

/** Where an edge is in the flow now; -1: it is gone, or none is meant. */
function placeOf(flow: Flow, edge: Edge | undefined): number {
  return edge ? flow.edges.findIndex(other => sameEdge(edge, other)) : -1;
}
