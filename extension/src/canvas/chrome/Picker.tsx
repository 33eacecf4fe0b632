/** A search field over a list: type to narrow, arrows to choose, Enter to take, Escape to leave. */
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';

interface Props<Item> {
  readonly label: string;
  readonly placeholder: string;
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  readonly show: (item: Item) => ReactNode;
  readonly disabled?: (item: Item) => boolean;
  /** What is said when nothing fits. */
  readonly empty: string;
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly onPick: (item: Item) => void;
  readonly onClose: () => void;
  /** Whether moving through the list already shows the place. */
  readonly onActive?: (item: Item) => void;
  /** Whether a click elsewhere closes it. */
  readonly transient?: boolean;
}

export function Picker<Item>(props: Props<Item>) {
  const { label, placeholder, items, keyOf, show, disabled, empty, query } = props;
  const { onQuery, onPick, onClose, onActive, transient = true } = props;
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [chosen, setChosen] = useState(0);
  const active = Math.min(chosen, items.length - 1);
  useEffect(() => input.current?.focus(), []);
  useEffect(() => {
    box.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [active, items]);
  const move = (next: number): void => {
    const index = (next + items.length) % Math.max(1, items.length);
    setChosen(index);
    const item = items[index];
    if (item !== undefined) {
      onActive?.(item);
    }
  };
  const pick = (item: Item | undefined): void => {
    if (item !== undefined && !disabled?.(item)) {
      onPick(item);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) {
      return;
    }
    const act: Record<string, () => void> = {
      ArrowDown: () => move(active + 1),
      ArrowUp: () => move(active - 1),
      Enter: () => pick(items[active]),
      Escape: onClose
    };
    const action = act[event.key];
    if (action) {
      event.preventDefault();
      event.stopPropagation();
      action();
    }
  };
  return (
    <div
      className="iai-picker"
      ref={box}
      role="dialog"
      aria-label={label}
      onBlur={event => {
        const to = event.relatedTarget;
        if (transient && to instanceof Node && !event.currentTarget.contains(to)) {
          onClose();
        }
      }}
    >
      <input
        ref={input}
        className="iai-input"
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
        aria-autocomplete="list"
        aria-label={label}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        value={query}
        onChange={event => {
          setChosen(0);
          onQuery(event.currentTarget.value);
        }}
        onKeyDown={onKeyDown}
      />
      <ul className="iai-picker-list" role="listbox" id={`${id}-list`} aria-label={label}>
        {items.map((item, index) => (
          <li
            key={keyOf(item)}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            aria-disabled={disabled?.(item)}
            className="iai-picker-item"
            onPointerDown={event => event.preventDefault()}
            onClick={() => {
              setChosen(index);
              pick(item);
            }}
          >
            {show(item)}
          </li>
        ))}
      </ul>
      {items.length === 0 && <p className="iai-picker-empty">{empty}</p>}
    </div>
  );
}
