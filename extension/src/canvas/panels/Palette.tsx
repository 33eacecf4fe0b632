/** Node types to place: searched, by category, with their help. */
import { useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { NodeType } from '../../core/catalog';
import { searchTypes } from '../../core/search';
import { Icon } from '../chrome/icons';
import { TypeLine } from '../chrome/TypeLine';
import { useFlow, useTrans } from '../chrome/use';
import { categoryText } from '../chrome/words';
import { useController, useReadOnly, useStore } from '../hooks';
import { CategoryIcon, tintOf } from '../surface/icons';
import { freePlace, NODE_MIME, placeNode } from '../surface/place';
import { TypeHelp } from './TypeHelp';

export function Palette() {
  const controller = useController();
  const trans = useTrans();
  const catalog = useStore(controller.catalog);
  const flow = useFlow(controller);
  const readOnly = useReadOnly(controller);
  const [query, setQuery] = useState('');
  const [helped, setHelped] = useState<string | null>(null);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const list = useRef<HTMLDivElement>(null);
  const found = useMemo(() => searchTypes(catalog, query, null, flow), [catalog, query, flow]);
  const sections = useMemo(() => byCategory(found, query !== ''), [found, query]);
  const place = (type: NodeType): void => {
    const at = controller.surface?.center() ?? [0, 0];
    placeNode(controller, type.type, freePlace(flow, at));
  };
  const toggle = (category: string): void => {
    const next = new Set(closed);
    setClosed(next.delete(category) ? next : next.add(category));
  };
  const help = helped === null ? undefined : catalog.get(helped);
  return (
    <div className="iai-palette" onKeyDown={event => moveFocus(event, list.current)}>
      <input
        className="iai-input"
        type="search"
        aria-label={trans('Search nodes')}
        placeholder={trans('Search nodes')}
        value={query}
        onChange={event => setQuery(event.currentTarget.value)}
        onKeyDown={event => {
          if (event.key === 'Enter' && found[0] && !readOnly) {
            place(found[0]);
          }
        }}
      />
      <div className="iai-palette-list" ref={list}>
        {sections.map(([category, types]) => (
          <Category
            key={category}
            {...{ category, types, readOnly, helped }}
            open={!closed.has(category)}
            onToggle={() => toggle(category)}
            onPlace={place}
            onHelp={type => setHelped(helped === type ? null : type)}
          />
        ))}
        {found.length === 0 && (
          <p className="iai-pad iai-muted">{trans('No node is called that.')}</p>
        )}
      </div>
      {help && <TypeHelp type={help} onClose={() => setHelped(null)} />}
    </div>
  );
}

interface CategoryProps {
  readonly category: string;
  readonly types: readonly NodeType[];
  readonly readOnly: boolean;
  /** The type whose help is shown; null: none. */
  readonly helped: string | null;
  readonly open: boolean;
  readonly onToggle: () => void;
  readonly onPlace: (type: NodeType) => void;
  readonly onHelp: (type: string) => void;
}

function Category(props: CategoryProps) {
  const { category, types, readOnly, helped, open, onToggle, onPlace, onHelp } = props;
  const name = categoryText(useTrans(), category);
  return (
    <section aria-label={name}>
      <h3>
        <button type="button" className="iai-category" aria-expanded={open} onClick={onToggle}>
          <Icon name={open ? 'down' : 'right'} />
          {name}
          <span className="iai-quiet">{types.length}</span>
        </button>
      </h3>
      {open && (
        <ul>
          {types.map(type => (
            <Item
              key={type.type}
              type={type}
              readOnly={readOnly}
              helped={helped === type.type}
              onPlace={() => onPlace(type)}
              onHelp={() => onHelp(type.type)}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

interface ItemProps {
  readonly type: NodeType;
  readonly readOnly: boolean;
  readonly helped: boolean;
  readonly onPlace: () => void;
  readonly onHelp: () => void;
}

function Item({ type, readOnly, helped, onPlace, onHelp }: ItemProps) {
  const trans = useTrans();
  return (
    <li className="iai-palette-item">
      <button
        type="button"
        className="iai-palette-type"
        data-type={type.type}
        draggable={!readOnly}
        disabled={readOnly}
        title={type.summary}
        onClick={onPlace}
        onDragStart={event => {
          event.dataTransfer.setData(NODE_MIME, type.type);
          event.dataTransfer.effectAllowed = 'copy';
        }}
      >
        <span className="iai-palette-icon" data-tint={tintOf(type.category)} aria-hidden="true">
          <CategoryIcon category={type.category} />
        </span>
        <TypeLine type={type} />
      </button>
      <button
        type="button"
        className="iai-icon-button"
        aria-pressed={helped}
        aria-label={trans('Help for {node}', { node: type.title || type.type })}
        onClick={onHelp}
      >
        <Icon name="help" />
      </button>
    </li>
  );
}

/** In categories by name; while searching, the best matches in one list. */
function byCategory(types: readonly NodeType[], searching: boolean): [string, NodeType[]][] {
  const sections = new Map<string, NodeType[]>();
  for (const type of types) {
    sections.set(type.category, [...(sections.get(type.category) ?? []), type]);
  }
  return searching
    ? [...sections]
    : [...sections].sort(([one], [other]) => one.localeCompare(other));
}

/** Up and down go through the node types. */
function moveFocus(event: KeyboardEvent, list: HTMLElement | null): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0 || !list) {
    return;
  }
  const items = [...list.querySelectorAll<HTMLElement>('.iai-category, .iai-palette-type')];
  const index = items.indexOf(event.target as HTMLElement);
  event.preventDefault();
  items[Math.max(0, Math.min(items.length - 1, index + step))]?.focus();
}
