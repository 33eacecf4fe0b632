/** The form for values of the flow's parameters, for the next run. */
import { useEffect, useRef } from 'react';
import { inputsSchema } from '../../core/inputs';
import { useController, useStore } from '../hooks';
import { Form } from './Mounted';
import { useRequest } from './use';

interface Props {
  /** The parameters that are asked for. */
  readonly named: readonly string[];
  /** Whether the first field takes the focus. */
  readonly focused?: boolean;
}

const FIELD = 'input, textarea, select, [contenteditable]';
const NOTHING_WIRED = {};

export function ValuesForm({ named, focused = false }: Props) {
  const controller = useController();
  const root = useStore(controller.document.flow);
  const inputs = useStore(controller.inputs);
  const secrets = useRequest('secrets', {});
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The form is made again when the names of secrets arrive.
    if (focused && !box.current?.contains(document.activeElement)) {
      box.current?.querySelector<HTMLElement>(FIELD)?.focus();
    }
  }, [focused, secrets.state]);
  return (
    <div ref={box}>
      <Form
        schema={inputsSchema(root, named)}
        value={inputs}
        wired={NOTHING_WIRED}
        readOnly={false}
        problems={[]}
        secrets={secrets.state === 'done' ? secrets.result.names : []}
        names={[]}
        onChange={(field, value) => controller.setInput(field, value === '' ? undefined : value)}
      />
    </div>
  );
}
