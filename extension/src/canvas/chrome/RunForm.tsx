/** Asks for the values of parameters without which the flow cannot run. */
import { useEffect, useRef } from 'react';
import type { View } from '../../core/controller';
import { inputsSchema, missingInputs } from '../../core/inputs';
import { useController, useStore } from '../hooks';
import { Form } from './Mounted';
import { useRequest, useTrans } from './use';

export function RunForm() {
  const controller = useController();
  const { asking } = useStore(controller.view);
  return asking ? <Box asking={asking} /> : null;
}

const FIELD = 'input, textarea, select, [contenteditable]';

function Box({ asking }: { readonly asking: NonNullable<View['asking']> }) {
  const controller = useController();
  const trans = useTrans();
  const box = useRef<HTMLDivElement>(null);
  const root = useStore(controller.document.flow);
  const inputs = useStore(controller.inputs);
  const secrets = useRequest('secrets', {});
  const missing = missingInputs(root, inputs);
  useEffect(() => {
    // The form is made again when the names of secrets arrive.
    if (!box.current?.contains(document.activeElement)) {
      box.current?.querySelector<HTMLElement>(FIELD)?.focus();
    }
  }, [secrets.state]);
  const close = (): void => {
    controller.look({ asking: null });
    controller.surface?.focus();
  };
  const run = (): void => {
    if (missing.length === 0) {
      close();
      void controller.run(asking.mode, asking.nodes);
    }
  };
  return (
    <div
      ref={box}
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
        <Form
          schema={inputsSchema(root)}
          value={inputs}
          wired={[]}
          readOnly={false}
          problems={[]}
          secrets={secrets.state === 'done' ? secrets.result.names : []}
          names={[]}
          onChange={(field, value) => controller.setInput(field, value === '' ? undefined : value)}
        />
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
