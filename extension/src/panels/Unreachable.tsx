/** Why the service cannot be asked, and what to do. */
import { ApiError } from '../api/client';
import { useHost } from './host';
import { said } from './use';

interface Props {
  readonly reason: unknown;
  onRetry(): void;
}

export function Unreachable({ reason, onRetry }: Props) {
  const { trans } = useHost();
  const known = reason instanceof ApiError && reason.code !== '';
  return (
    <div className="iai-Panel-away" role="alert">
      <p>
        {known
          ? said(reason)
          : trans('The service that runs flows does not answer ({reason}).', {
              reason: said(reason)
            })}
      </p>
      {!known && (
        <p className="iai-Panel-quiet">
          {trans('It starts with JupyterLab. Look again in a moment, else restart JupyterLab.')}
        </p>
      )}
      <div className="iai-Panel-row">
        <button type="button" onClick={onRetry}>
          {trans('Look again')}
        </button>
      </div>
    </div>
  );
}
