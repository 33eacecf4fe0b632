/** The field above a list in which one searches it. */

interface Props {
  readonly label: string;
  readonly text: string;
  onText(text: string): void;
}

export function Search({ label, text, onText }: Props) {
  return (
    <input
      type="search"
      className="iai-Panel-search"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={event => onText(event.currentTarget.value)}
    />
  );
}
