/** Who works, how far it is, and the button that ends it. */
import { isUnderWay, type AgentTrace } from '../../core/agentTrace';
import type { Services } from '../../core/services';
import { shorten, visible } from '../../core/text';
import { GLYPHS, progressText } from './words';

interface Props {
  readonly trace: AgentTrace;
  readonly services: Services;
  /** Ends the run; left out where nothing of it goes on. */
  readonly onStop?: () => void;
}

/** Characters of names that are shown. */
const NAME = 80;

export function Head({ trace, services, onStop }: Props) {
  const { trans } = services;
  const { state, model, is_scripted: isScripted } = trace;
  return (
    <div className="iai-agent-head">
      <span className="iai-agent-state" data-state={state}>
        <span className="iai-agent-glyph" aria-hidden="true">
          {GLYPHS[state]}
        </span>
        {progressText(trans, trace)}
      </span>
      {model && (
        <bdi className="iai-agent-model" title={visible(model)}>
          {visible(shorten(model, NAME))}
        </bdi>
      )}
      {isScripted && (
        <span
          className="iai-badge"
          title={trans('Its answers come from a script; no model is asked.')}
        >
          {trans('scripted model')}
        </span>
      )}
      {onStop && isUnderWay(state) && (
        <button
          type="button"
          className="iai-link iai-agent-stop"
          title={trans('Stop the run that it belongs to')}
          onClick={onStop}
        >
          {trans('Stop')}
        </button>
      )}
    </div>
  );
}
