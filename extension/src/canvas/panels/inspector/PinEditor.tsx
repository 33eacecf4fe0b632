/** Writing the value that stands in for an output, as JSON. */
import { useState } from 'react';
import { reasonOf } from '../../../core/attempt';
import type { Json } from '../../../core/flow';
import { parseJson } from '../../../core/json';
import { Editor } from '../../chrome/Mounted';
import { useTrans } from '../../chrome/use';
import { useController } from '../../hooks';

interface Props {
  readonly port: string;
  readonly value: Json;
  readonly onSave: (value: Json) => void;
  readonly onCancel: () => void;
}

export function PinEditor({ port, value, onSave, onCancel }: Props) {
  const controller = useController();
  const trans = useTrans();
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const [fault, setFault] = useState('');
  const save = (): void => {
    let read: Json;
    try {
      read = parseJson(text);
    } catch (error) {
      setFault(reasonOf(controller, error));
      return;
    }
    onSave(read);
  };
  return (
    <div className="iai-pin-editor">
      <Editor
        language="json"
        value={text}
        readOnly={false}
        label={trans('Value of {port} as JSON', { port })}
        onChange={setText}
        onDone={save}
      />
      {fault && (
        <p className="iai-fault" role="alert">
          {fault}
        </p>
      )}
      <div className="iai-row">
        <button type="button" className="iai-button iai-primary" onClick={save}>
          {trans('Pin this value')}
        </button>
        <button type="button" className="iai-button" onClick={onCancel}>
          {trans('Cancel')}
        </button>
      </div>
    </div>
  );
}
