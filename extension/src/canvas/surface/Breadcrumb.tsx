/** Where the open flow stands among nested ones, and the way back. */
import { Panel } from '@xyflow/react';
import { Fragment } from 'react';
import { flowAt } from '../../core/scope';
import { useController, useSelect, useStore } from '../hooks';

export function Breadcrumb() {
  const controller = useController();
  const { trans } = controller.services;
  const scope = useSelect(controller.view, view => view.scope);
  const root = useStore(controller.document.flow);
  if (scope.length === 0) {
    return null;
  }
  const titles = scope.map(
    ([id], depth) => flowAt(root, scope.slice(0, depth)).nodes[id]?.title || id
  );
  return (
    <Panel position="top-left" className="iai-breadcrumb">
      <nav aria-label={trans('Open flow')}>
        <button type="button" onClick={() => controller.closeBody(0)}>
          <bdi>{root.name || trans('Flow')}</bdi>
        </button>
        {titles.map((title, depth) => (
          <Fragment key={depth}>
            <span aria-hidden="true">›</span>
            {depth === scope.length - 1 ? (
              <bdi aria-current="location">{title}</bdi>
            ) : (
              <button type="button" onClick={() => controller.closeBody(depth + 1)}>
                <bdi>{title}</bdi>
              </button>
            )}
          </Fragment>
        ))}
      </nav>
    </Panel>
  );
}
