/** The way from the document's flow to the nested one that is open. */
import { flowAt } from '../../core/scope';
import { useController, useStore } from '../hooks';
import { useTrans } from './use';

export function Breadcrumb() {
  const controller = useController();
  const trans = useTrans();
  const { scope } = useStore(controller.view);
  const root = useStore(controller.document.flow);
  if (scope.length === 0) {
    return null;
  }
  const names = scope.map(
    ([id], depth) => flowAt(root, scope.slice(0, depth)).nodes[id]?.title || id
  );
  const steps = [root.name || trans('Flow'), ...names];
  return (
    <nav className="iai-breadcrumb" aria-label={trans('Open flow')}>
      <ol>
        {steps.map((name, depth) => (
          <li key={depth}>
            {depth === scope.length ? (
              <span aria-current="page">{name}</span>
            ) : (
              <button
                type="button"
                className="iai-link"
                onClick={() => {
                  controller.closeBody(depth);
                  controller.surface?.focus();
                }}
              >
                {name}
              </button>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}
