/** Asks for the values of parameters without which the flow cannot run. */
import type { View } from '../../core/controller';
import { missingInputs } from '../../core/inputs';
import { useController, useStore } from '../hooks';
import { useTrans } from './use';
import { ValuesForm } from './ValuesForm';

export function RunForm() {
  const controller = useController();
  const { asking } = useStore(controller.view);
  return asking ? <Box asking={asking} /> : null;
}

function Box({ asking }: { readonly asking: NonNullable<View['asking']> }) {
  const controller = useController();
  const trans = useTrans();
  const root = useStore(controller.document.flow);
  const inputs = useStore(controller.inputs);
  const missing = missingInputs(root, inputs);
  const close = (): void => {
    controller.look({ asking: null });
    controller.surface?.back();
  };
  const run = (): void => {
    if (missing.length === 0) {
      close();
      void controller.run(asking.mode, asking.nodes);
    }
  };
  return (
    <div
      className="iai-dialog"
      role="dialog"
      aria-label={trans('Values for this run')}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          close();
        }
      }}
    >
      <form
        onSubmit={event => {
          event.preventDefault();
          run();
        }}
      >
        <h2>{trans('Values for this run')}</h2>
        <ValuesForm named={Object.keys(root.parameters)} focused />
        <p className="iai-muted" role="status">
          {missing.length > 0 && trans('Still needed: {names}', { names: missing.join(', ') })}
        </p>
        <div className="iai-row">
          <button type="submit" className="iai-button iai-primary" disabled={missing.length > 0}>
            {trans('Run')}
          </button>
          <button type="button" className="iai-button" onClick={close}>
            {trans('Cancel')}
          </button>
        </div>
      </form>
    </div>
  );
}
