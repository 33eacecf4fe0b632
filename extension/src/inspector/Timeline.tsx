/** Memories by day, newest first; earlier ones are asked for. */
import { useMemo } from 'react';
import { visible } from '../core/text';
import { useRoving } from '../panels/useRoving';
import { useInspector, useShared } from './context';
import type { Item } from './types';
import { aboutText, days, kindText, scopeText, standingText, timeText } from './words';

export function TimelineView() {
  const { model, trans, language } = useShared();
  const { timeline } = useInspector();
  const { items, more, busy, fault } = timeline;
  const grouped = useMemo(() => days(items, language), [items, language]);
  const roving = useRoving<HTMLDivElement>('[data-row]');
  return (
    <section
      className="iai-memory-list"
      aria-label={trans('Timeline')}
      aria-busy={busy}
      {...roving}
    >
      {fault && <Fault text={fault} />}
      {grouped.map(day => (
        <div key={day.key} className="iai-memory-day">
          <h3>{day.title}</h3>
          <ul>
            {day.items.map(item => (
              <li key={item.n}>
                <Row item={item} />
              </li>
            ))}
          </ul>
        </div>
      ))}
      {items.length === 0 && !busy && !fault && <Empty />}
      {more && (
        <button
          type="button"
          className="iai-memory-button iai-memory-more"
          disabled={busy}
          onClick={() => void model.earlier()}
        >
          {trans('Earlier memories')}
        </button>
      )}
    </section>
  );
}

function Empty() {
  const { trans } = useShared();
  const { hello } = useInspector();
  const isBare = hello?.stats.memories === 0;
  return (
    <p className="iai-memory-empty">
      {isBare
        ? trans('Nothing is remembered yet. memory.add("...") adds something.')
        : trans('Nothing fits. Change the filters, or look into a wider scope.')}
    </p>
  );
}

export function Fault({ text }: { readonly text: string }) {
  return (
    <p className="iai-memory-fault" role="alert">
      {text}
    </p>
  );
}

function Row({ item }: { readonly item: Item }) {
  const { model, language } = useShared();
  const { opened } = useInspector();
  const about = aboutText(item);
  return (
    <button
      type="button"
      className="iai-memory-row"
      data-row={item.id}
      aria-current={opened?.id === item.id ? 'true' : undefined}
      onClick={() => void model.open(item.id)}
    >
      <span className="iai-memory-time">{timeText(item.at, language)}</span>
      <span className="iai-memory-said-by">
        {about && <strong>{about}</strong>}
        <Chips item={item} />
      </span>
      <span className="iai-memory-text">{visible(item.text)}</span>
    </button>
  );
}

/** Kind, labels, scope, and how it stands. */
export function Chips({ item }: { readonly item: Item }) {
  const { trans, language } = useShared();
  const { hello } = useInspector();
  const scope = scopeText(item.scope, hello?.scope ?? {}, trans);
  const stands = standingText(item, trans, language);
  return (
    <>
      <span className="iai-memory-chip">{kindText(item.kind, trans)}</span>
      {item.tags.map(tag => (
        <span key={tag} className="iai-memory-chip" data-tone="tag">
          {visible(tag)}
        </span>
      ))}
      {scope && (
        <span className="iai-memory-chip" data-tone="scope">
          {scope}
        </span>
      )}
      {stands && (
        <span className="iai-memory-chip" data-tone={item.standing}>
          {stands}
        </span>
      )}
    </>
  );
}
