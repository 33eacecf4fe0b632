/** A box to tick, with its name beside it. */

interface Props {
  readonly label: string;
  readonly checked: boolean;
  readonly onChecked: (checked: boolean) => void;
  readonly tip?: string;
  readonly className?: string;
}

export function Check({ label, checked, onChecked, tip, className = 'iai-check' }: Props) {
  return (
    <label className={className} title={tip}>
      <input
        type="checkbox"
        checked={checked}
        onChange={event => onChecked(event.currentTarget.checked)}
      />
      {label}
    </label>
  );
}
