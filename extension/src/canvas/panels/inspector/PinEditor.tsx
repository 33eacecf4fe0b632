/** Writing the value that stands in for an output, as JSON. */
import { useEffect, useRef, useState } from 'react';
import type { Json } from '../../../core/flow';
import { parseJson, spotOf } from '../../../core/json';
import { Editor } from '../../chrome/Mounted';
import { useTrans } from '../../chrome/use';

interface Props {
  readonly port: string;
  readonly value: Json;
  readonly onSave: (value: Json) => void;
  readonly onCancel: () => void;
}

export function PinEditor({ port, value, onSave, onCancel }: Props) {
  const trans = useTrans();
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const [fault, setFault] = useState('');
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const waiting = requestAnimationFrame(() => {
      element.current?.querySelector<HTMLElement>('textarea, [contenteditable="true"]')?.focus();
    });
    return () => cancelAnimationFrame(waiting);
  }, []);
  const save = (): void => {
    let read: Json;
    try {
      read = parseJson(text);
    } catch (error) {
      setFault(trans('This is not JSON: {reason}', { reason: spotOf(error) }));
      return;
    }
    onSave(read);
  };
  return (
    <div className="iai-pin-editor" ref={element}>
      <Editor
        language="json"
        value={text}
        readOnly={false}
        label={trans('Value of {port} as JSON', { port })}
        onChange={setText}
        onDone={keep => (keep ? save() : onCancel())}
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
