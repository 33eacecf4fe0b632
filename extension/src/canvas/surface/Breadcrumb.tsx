/** The way from the document's flow to the nested one that is open, and back. */
import { Panel } from '@xyflow/react';
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
  const inner = scope.map(
    ([id], depth) => flowAt(root, scope.slice(0, depth)).nodes[id]?.title || id
  );
  const leave = (depth: number): void => {
    controller.closeBody(depth);
    controller.surface?.focus();
  };
  return (
    <Panel position="top-left">
      <nav className="iai-breadcrumb" aria-label={trans('Open flow')}>
        <ol>
          {[root.name || trans('Flow'), ...inner].map((title, depth) => (
            <li key={depth}>
              {depth === scope.length ? (
                <bdi aria-current="page">{title}</bdi>
              ) : (
                <button type="button" onClick={() => leave(depth)}>
                  <bdi>{title}</bdi>
                </button>
              )}
            </li>
          ))}
        </ol>
      </nav>
    </Panel>
  );
}
