/** A line of text with its name above. */

interface TextProps {
  readonly label: string;
  readonly value: string;
  readonly placeholder?: string;
  onChange(value: string): void;
}

export function Text({ label, value, placeholder, onChange }: TextProps) {
  return (
    <label className="iai-Panel-field">
      <span>{label}</span>
      <input
        className="jp-mod-styled"
        value={value}
        placeholder={placeholder}
        onChange={event => onChange(event.currentTarget.value)}
      />
    </label>
  );
}
