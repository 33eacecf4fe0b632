/** Finding nodes and notes of the open flow by what stands in them. */
import { useMemo, useState } from 'react';
import { findNodes, type Found } from '../../core/search';
import { visible } from '../../core/text';
import { useController, useStore } from '../hooks';
import { Picker } from './Picker';
import { useFlow, useTrans } from './use';

const MOST = 100;

export function Find() {
  const controller = useController();
  return useStore(controller.view).find ? <Box /> : null;
}

function Box() {
  const controller = useController();
  const trans = useTrans();
  const flow = useFlow(controller);
  const [query, setQuery] = useState('');
  const found = useMemo(() => (query ? findNodes(flow, query) : []), [flow, query]);
  const go = ({ id }: Found): void => {
    controller.select([id]);
    controller.surface?.reveal([id]);
  };
  const close = (node?: string): void => {
    controller.look({ find: false });
    if (node === undefined) {
      controller.surface?.back();
    } else {
      controller.surface?.focus(node);
    }
  };
  return (
    <div className="iai-find">
      <Picker
        label={trans('Find in this flow')}
        placeholder={trans('Title, id, type or setting')}
        items={found.slice(0, MOST)}
        keyOf={({ id, field }) => `${id} ${field}`}
        show={({ id, field, text }) => (
          <span className="iai-found">
            <span className="iai-found-id">{flow.nodes[id]?.title || id}</span>
            <span className="iai-found-text">
              {field}: {visible(text)}
            </span>
          </span>
        )}
        empty={query ? trans('Nothing found.') : trans('Type to search.')}
        query={query}
        onQuery={setQuery}
        onActive={go}
        onPick={place => {
          go(place);
          close(place.id in flow.nodes ? place.id : undefined);
        }}
        onClose={() => close()}
        transient={false}
      />
      {found.length > 0 && (
        <p className="iai-find-count" role="status">
          {trans('Places found: {count}', { count: found.length })}
        </p>
      )}
    </div>
  );
}
