/** Plain fields of the inspector's own forms. */
import { useId, type ReactNode } from 'react';

interface Common {
  readonly label: string;
  readonly help?: string;
  readonly readOnly: boolean;
}

interface FieldProps {
  readonly label: string;
  readonly help: string | undefined;
  /** Draws the control with what ties it to its label and its help. */
  readonly children: (ties: { id: string; 'aria-describedby': string | undefined }) => ReactNode;
}

function Field({ label, help, children }: FieldProps) {
  const id = useId();
  const helpId = help ? `${id}-help` : undefined;
  return (
    <div className="iai-field">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': helpId })}
      {help && (
        <p id={helpId} className="iai-muted">
          {help}
        </p>
      )}
    </div>
  );
}

interface TextProps extends Common {
  readonly value: string;
  readonly placeholder?: string;
  readonly onChange: (value: string | undefined) => void;
}

export function TextField({ label, help, readOnly, value, placeholder, onChange }: TextProps) {
  return (
    <Field label={label} help={help}>
      {ties => (
        <input
          {...ties}
          className="iai-input"
          value={value}
          placeholder={placeholder}
          readOnly={readOnly}
          onChange={event => onChange(event.currentTarget.value || undefined)}
        />
      )}
    </Field>
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
  return (
    <Field label={label} help={help}>
      {ties => (
        <input
          {...ties}
          className="iai-input"
          type="number"
          value={value ?? ''}
          placeholder={placeholder}
          min={min}
          max={max}
          step={whole ? 1 : 'any'}
          readOnly={readOnly}
          onChange={({ currentTarget: input }) => {
            if (input.value === '' && !input.validity.badInput) {
              onChange(undefined);
            } else if (input.validity.valid) {
              onChange(input.valueAsNumber);
            }
          }}
        />
      )}
    </Field>
  );
}

interface ChoiceProps extends Common {
  readonly value: string;
  readonly choices: readonly (readonly [value: string, label: string])[];
  readonly onChange: (value: string) => void;
}

export function ChoiceField({ label, help, readOnly, value, choices, onChange }: ChoiceProps) {
  return (
    <Field label={label} help={help}>
      {ties => (
        <select
          {...ties}
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
      )}
    </Field>
  );
}
