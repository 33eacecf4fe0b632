/** A field for the name of something new, with the button that adds it; nothing to see in read-only flows. */
import { useState } from 'react';
import { useTrans } from '../../chrome/use';

interface Props {
  readonly label: string;
  readonly readOnly: boolean;
  /** Add it; false: it could not be, and the name stays. */
  readonly onAdd: (name: string) => boolean;
}

export function AddNamed({ label, readOnly, onAdd }: Props) {
  const trans = useTrans();
  const [name, setName] = useState('');
  if (readOnly) {
    return null;
  }
  return (
    <form
      className="iai-row"
      onSubmit={event => {
        event.preventDefault();
        if (name && onAdd(name)) {
          setName('');
        }
      }}
    >
      <input
        className="iai-input"
        aria-label={label}
        placeholder={label}
        value={name}
        onChange={event => setName(event.currentTarget.value)}
      />
      <button type="submit" className="iai-button" disabled={!name}>
        {trans('Add')}
      </button>
    </form>
  );
}
