/** Why a node failed, and the person's own lines that led there. */
import { plainText } from '../../core/ansi';
import type { ErrorInfo } from '../../core/protocol';
import type { Services } from '../../core/services';
import { LogView } from './LogView';

interface Props {
  readonly error: ErrorInfo;
  readonly services: Services;
  /** Whether only the sentence is shown. */
  readonly brief?: boolean;
}

export function ErrorView({ error, services, brief = false }: Props) {
  return (
    <div className="iai-error" role="note" aria-label={services.trans('Error')}>
      <p>{plainText(error.message)}</p>
      {!brief && error.trace && (
        <details>
          <summary>{services.trans('Where it happened')}</summary>
          <LogView text={error.trace} label={services.trans('Traceback')} />
        </details>
      )}
    </div>
  );
}
