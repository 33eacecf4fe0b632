/** The menu of commands at the pointer, or at the node that has the focus. */
import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type RefObject
} from 'react';
import { commands, type Command } from '../../core/commands';
import { spellKeys } from '../../core/keys';
import { beganIn, treeOf } from '../dom';
import { useController, useStore } from '../hooks';
import { useShared } from './context';
import type { MenuAt } from './lights';

/** Ids of commands by what the menu is about; "" draws a line. */
const MENUS: Readonly<Record<MenuAt['about'], readonly string[]>> = {
  node: [
    'run-until',
    'run-from',
    'run-only',
    '',
    'inspect',
    'open-body',
    'open-in-notebook',
    'pin',
    'unpin',
    'clear-cache',
    '',
    'rename',
    'wire',
    'copy',
    'cut',
    'duplicate',
    '',
    'group',
    'ungroup',
    'extract',
    'inline',
    '',
    'delete'
  ],
  group: ['rename', 'ungroup', 'extract', '', 'delete'],
  note: ['rename', '', 'copy', 'cut', 'duplicate', '', 'delete'],
  edge: ['quick-search', '', 'delete'],
  surface: [
    'run-all',
    'stop',
    '',
    'quick-search',
    'add-note',
    'paste',
    '',
    'select-all',
    'arrange',
    'fit',
    'find',
    '',
    'close-body',
    'undo',
    'redo',
    '',
    'command-list'
  ]
};

export function Menu() {
  const at = useStore(useShared().menu);
  return at ? <OpenMenu key={`${at.x} ${at.y}`} at={at} /> : null;
}

function OpenMenu({ at }: { readonly at: MenuAt }) {
  const controller = useController();
  const shared = useShared();
  const { trans } = controller.services;
  const element = useRef<HTMLDivElement>(null);
  const [[left, top], setPlace] = useState([at.x, at.y]);
  const entries = useMemo(() => entriesOf(commands(controller), at.about), [controller, at.about]);
  useLayoutEffect(() => {
    const menu = element.current;
    const surface = menu?.parentElement;
    if (menu && surface) {
      setPlace([
        Math.max(4, Math.min(at.x, surface.clientWidth - menu.offsetWidth - 4)),
        Math.max(4, Math.min(at.y, surface.clientHeight - menu.offsetHeight - 4))
      ]);
    }
  }, [at]);
  useOpened(
    element,
    useCallback(() => shared.menu.set(null), [shared])
  );
  const back = (): void => {
    shared.menu.set(null);
    controller.surface?.back();
  };
  const run = (command: Command): void => {
    back();
    void command.run();
  };
  return (
    <div
      ref={element}
      className="iai-menu"
      role="menu"
      aria-label={trans('Commands')}
      style={{ left, top }}
      onContextMenu={event => event.preventDefault()}
      onKeyDown={event => onMenuKey(event, back)}
    >
      {entries.map((command, index) =>
        command ? (
          <Entry key={command.id} command={command} onRun={() => run(command)} />
        ) : (
          <hr key={index} />
        )
      )}
    </div>
  );
}

interface EntryProps {
  readonly command: Command;
  onRun(): void;
}

/** A pointer that rests where the menu opens leaves the focus where keys have put it. */
function Entry({ command, onRun }: EntryProps) {
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      onPointerMove={event => event.currentTarget.focus()}
      onClick={onRun}
    >
      <span>{command.label}</span>
      {command.keys[0] && <kbd>{spellKeys(command.keys[0])}</kbd>}
    </button>
  );
}

/** The menu takes the focus, and a press elsewhere closes it. */
function useOpened(element: RefObject<HTMLElement>, close: () => void): void {
  useEffect(() => {
    element.current?.querySelector<HTMLElement>('[role="menuitem"]')?.focus();
    const press = (event: Event): void => {
      if (!beganIn(event, element.current)) {
        close();
      }
    };
    document.addEventListener('pointerdown', press, true);
    return () => document.removeEventListener('pointerdown', press, true);
  }, [element, close]);
}

/** What can be done now, without lines at the ends or twice in a row. */
function entriesOf(list: readonly Command[], about: MenuAt['about']): (Command | null)[] {
  const found = MENUS[about].flatMap((id): (Command | null)[] => {
    const command = list.find(entry => entry.id === id);
    return id === '' ? [null] : command?.enabled() ? [command] : [];
  });
  return found.filter(
    (entry, index) => entry || (found[index - 1] && found.slice(index).some(Boolean))
  );
}

function onMenuKey(event: KeyboardEvent<HTMLElement>, back: () => void): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="menuitem"]')];
  const at = items.indexOf(treeOf(event.currentTarget).activeElement as HTMLElement);
  const goals: Readonly<Record<string, number>> = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at - 1 + items.length) % items.length,
    Home: 0,
    End: items.length - 1
  };
  if (event.key === 'Escape' || event.key === 'Tab') {
    back();
  } else if (goals[event.key] !== undefined) {
    items[goals[event.key] as number]?.focus();
  } else {
    event.stopPropagation();
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}
