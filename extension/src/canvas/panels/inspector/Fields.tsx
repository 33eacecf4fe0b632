/** Plain fields of the inspector's own forms. */
import { useId } from 'react';

interface Common {
  readonly label: string;
  readonly help?: string;
  readonly readOnly: boolean;
}

interface TextProps extends Common {
  readonly value: string;
  readonly placeholder?: string;
  readonly onChange: (value: string | undefined) => void;
}

export function TextField({ label, help, readOnly, value, placeholder, onChange }: TextProps) {
  const id = useId();
  return (
    <div className="iai-field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="iai-input"
        value={value}
        placeholder={placeholder}
        readOnly={readOnly}
        aria-describedby={help ? `${id}-help` : undefined}
        onChange={event => onChange(event.currentTarget.value || undefined)}
      />
      {help && (
        <p id={`${id}-help`} className="iai-muted">
          {help}
        </p>
      )}
    </div>
  );
}

interface NumberProps extends Common {
  readonly value: number | undefined;
  readonly placeholder: string;
  readonly min: number;
  readonly max?: number;
  readonly whole?: boolean;
  readonly onChange: (value: number | undefined) => void;
}

/** Only numbers that the flow may hold are passed on; anything else is shown as wrong. */
export function NumberField(props: NumberProps) {
  const { label, help, readOnly, value, placeholder, min, max, whole, onChange } = props;
  const id = useId();
  return (
    <div className="iai-field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="iai-input"
        type="number"
        value={value ?? ''}
        placeholder={placeholder}
        min={min}
        max={max}
        step={whole ? 1 : 'any'}
        readOnly={readOnly}
        aria-describedby={help ? `${id}-help` : undefined}
        onChange={({ currentTarget: input }) => {
          if (input.value === '' && !input.validity.badInput) {
            onChange(undefined);
          } else if (input.validity.valid) {
            onChange(input.valueAsNumber);
          }
        }}
      />
      {help && (
        <p id={`${id}-help`} className="iai-muted">
          {help}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps extends Common {
  readonly value: string;
  readonly choices: readonly (readonly [value: string, label: string])[];
  readonly onChange: (value: string) => void;
}

export function ChoiceField({ label, help, readOnly, value, choices, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div className="iai-field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="iai-input"
        value={value}
        disabled={readOnly}
        onChange={event => onChange(event.currentTarget.value)}
      >
        {choices.map(([choice, name]) => (
          <option key={choice} value={choice}>
            {name}
          </option>
        ))}
      </select>
      {help && <p className="iai-muted">{help}</p>}
    </div>
  );
}
