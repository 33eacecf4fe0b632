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
  const { onQuery, onClose, transient = true } = props;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const { box, active, setChosen, pick, onKeyDown } = useChoice(props);
  useEffect(() => input.current?.focus(), []);
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
      <List {...{ id, label, items, keyOf, show, disabled, active }} onPick={pick} />
      {items.length === 0 && <p className="iai-picker-empty">{empty}</p>}
    </div>
  );
}

interface ListProps<Item> extends Pick<
  Props<Item>,
  'label' | 'items' | 'keyOf' | 'show' | 'disabled'
> {
  readonly id: string;
  readonly active: number;
  readonly onPick: (index: number) => void;
}

function List<Item>({ id, label, items, keyOf, show, disabled, active, onPick }: ListProps<Item>) {
  return (
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
          onClick={() => onPick(index)}
        >
          {show(item)}
        </li>
      ))}
    </ul>
  );
}

/** The item that is chosen, in sight, and the keys that choose and take one. */
function useChoice<Item>({ items, disabled, onPick, onClose, onActive }: Props<Item>) {
  const box = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState(0);
  const active = Math.min(chosen, items.length - 1);
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
  const pick = (index: number): void => {
    const item = items[index];
    setChosen(index);
    if (item !== undefined && !disabled?.(item)) {
      onPick(item);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const act: Record<string, () => void> = {
      ArrowDown: () => move(active + 1),
      ArrowUp: () => move(active - 1),
      Enter: () => pick(active),
      Escape: onClose
    };
    const action = event.nativeEvent.isComposing ? undefined : act[event.key];
    if (action) {
      event.preventDefault();
      event.stopPropagation();
      action();
    }
  };
  return { box, active, setChosen, pick, onKeyDown };
}
