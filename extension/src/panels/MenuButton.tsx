/** A button that opens a menu of further actions. */
import { useEffect, useRef, useState, type FocusEvent, type KeyboardEvent } from 'react';

export interface MenuEntry {
  readonly label: string;
  act(): void;
}

interface Props {
  readonly label: string;
  readonly disabled: boolean;
  readonly entries: readonly MenuEntry[];
}

export function MenuButton({ label, disabled, entries }: Props) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  const leave = (event: FocusEvent<HTMLElement>): void => {
    if (!event.currentTarget.contains(event.relatedTarget)) {
      setOpen(false);
    }
  };
  return (
    <span className="iai-MenuButton" onBlur={leave}>
      <button
        ref={button}
        type="button"
        aria-haspopup="menu"
        aria-expanded={open}
        disabled={disabled}
        onClick={() => setOpen(!open)}
        onKeyDown={event => {
          if (event.key === 'ArrowDown') {
            event.preventDefault();
            setOpen(true);
          }
        }}
      >
        {label} <span aria-hidden="true">▾</span>
      </button>
      {open && <Entries label={label} entries={entries} onClose={close} />}
    </span>
  );
}

interface EntriesProps {
  readonly label: string;
  readonly entries: readonly MenuEntry[];
  onClose(): void;
}

function Entries({ label, entries, onClose }: EntriesProps) {
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => itemsOf(menu.current)[0]?.focus(), []);
  return (
    <div
      ref={menu}
      role="menu"
      aria-label={label}
      className="iai-MenuButton-menu"
      onKeyDown={event => onMenuKey(event, onClose)}
    >
      {entries.map(({ label: words, act }) => (
        <button
          key={words}
          type="button"
          role="menuitem"
          tabIndex={-1}
          onClick={() => {
            onClose();
            act();
          }}
        >
          {words}
        </button>
      ))}
    </div>
  );
}

function onMenuKey(event: KeyboardEvent<HTMLElement>, close: () => void): void {
  const items = itemsOf(event.currentTarget);
  const at = items.indexOf(event.target as HTMLElement);
  const goals: Readonly<Record<string, number>> = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at - 1 + items.length) % items.length,
    Home: 0,
    End: items.length - 1
  };
  const goal = goals[event.key];
  if (event.key === 'Escape') {
    close();
  } else if (goal !== undefined) {
    items[goal]?.focus();
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

function itemsOf(menu: HTMLElement | null): HTMLElement[] {
  return [...(menu?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
}
