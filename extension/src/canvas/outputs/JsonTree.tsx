/** A JSON value as a tree that opens where one looks. */
import { useMemo, useState } from 'react';
import type { Services } from '../../core/services';
import { shorten, visible } from '../../core/text';
import { LogView } from './LogView';

interface Props {
  readonly text: string;
  readonly services: Services;
  readonly label: string;
  /** How many levels are open at first. */
  readonly open?: number;
  /** Whether it stands among others of its kind: no place of the page to go to. */
  readonly inner?: boolean;
}

/** Items shown of one list or object before one asks for more. */
const PAGE = 100;
const LEAF = 10_000;

export function JsonTree({ text, services, label, open = 1, inner = false }: Props) {
  const value = useMemo(() => read(text), [text]);
  if (value === undefined) {
    return <LogView text={text} label={label} inner={inner} />;
  }
  return (
    <div
      className="iai-json nowheel"
      role={inner ? 'group' : 'region'}
      aria-label={label}
      tabIndex={0}
    >
      <Value name={null} value={value} services={services} open={open} />
    </div>
  );
}

interface ValueProps {
  readonly name: string | null;
  readonly value: unknown;
  readonly services: Services;
  readonly open: number;
}

function Value({ name, value, services, open }: ValueProps) {
  if (typeof value === 'object' && value !== null && !(value instanceof Spelled)) {
    return <Branch name={name} value={value} services={services} open={open} />;
  }
  return (
    <div className="iai-json-leaf">
      <Key name={name} />
      <span className={`iai-json-${kindOf(value)}`}>{leafText(value)}</span>
    </div>
  );
}

function Branch({ name, value, services, open }: ValueProps & { readonly value: object }) {
  const [isOpen, setOpen] = useState(open > 0);
  const [shown, setShown] = useState(PAGE);
  const entries = useMemo(() => (isOpen ? Object.entries(value) : []), [value, isOpen]);
  const size = Array.isArray(value) ? value.length : Object.keys(value).length;
  const signs = Array.isArray(value) ? `[${size}]` : `{${size}}`;
  if (size === 0) {
    return (
      <div className="iai-json-leaf">
        <Key name={name} />
        <span className="iai-json-null">{Array.isArray(value) ? '[]' : '{}'}</span>
      </div>
    );
  }
  return (
    <details open={isOpen} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <Key name={name} />
        <span className="iai-json-size">{signs}</span>
      </summary>
      <div className="iai-json-items">
        {entries.slice(0, shown).map(([key, item]) => (
          <Value key={key} name={key} value={item} services={services} open={open - 1} />
        ))}
        {isOpen && size > shown && (
          <button type="button" className="iai-link" onClick={() => setShown(shown + 10 * PAGE)}>
            {services.trans('Show more ({count} left)', { count: size - shown })}
          </button>
        )}
      </div>
    </details>
  );
}

function Key({ name }: { readonly name: string | null }) {
  return name === null ? null : <bdi className="iai-json-key">{visible(shorten(name, 200))}: </bdi>;
}

/** A number whose spelling JavaScript would change. */
class Spelled {
  constructor(readonly text: string) {}
}

function read(text: string): unknown {
  const keep = (_: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && context?.source && String(value) !== context.source
      ? new Spelled(context.source)
      : value;
  try {
    return JSON.parse(text, keep as (key: string, value: unknown) => unknown) as unknown;
  } catch {
    return undefined;
  }
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : value instanceof Spelled ? 'number' : typeof value;
}

function leafText(value: unknown): string {
  if (value instanceof Spelled) {
    return value.text;
  }
  return visible(shorten(JSON.stringify(value), LEAF));
}
