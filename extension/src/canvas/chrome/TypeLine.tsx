/** A node type on one line: title, where it comes from, first sentence of its help. */
import type { NodeType } from '../../core/catalog';
import { useTrans } from './use';

export function TypeLine({ type }: { readonly type: NodeType }) {
  const trans = useTrans();
  return (
    <span className="iai-type-line">
      <span className="iai-type-title">
        {type.title || type.type}
        {type.source.kind === 'cell' && <span className="iai-badge">{trans('this notebook')}</span>}
      </span>
      {type.summary && <span className="iai-type-summary">{type.summary}</span>}
    </span>
  );
}
