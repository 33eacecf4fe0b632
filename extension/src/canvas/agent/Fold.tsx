/** Something that is shown, and drawn, only once it is opened. */
import { useState, type ReactNode } from 'react';

interface Props {
  readonly summary: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}

export function Fold({ summary, children, className = 'iai-agent-fold' }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details
      className={className}
      open={isOpen}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{summary}</summary>
      {isOpen && children}
    </details>
  );
}
