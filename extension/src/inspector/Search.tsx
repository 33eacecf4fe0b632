/** The search: what was found, and why. */
import { useState, type FormEvent } from 'react';
import { visible } from '../core/text';
import { useRoving } from '../panels/useRoving';
import { useInspector, useShared } from './context';
import { Chips, Fault } from './Timeline';
import type { Hit, Item } from './types';
import { aboutText, partName, reasonText, whenText } from './words';

export function SearchView() {
  const { model, trans } = useShared();
  const { results } = useInspector();
  const { hits, more, busy, fault, text } = results;
  const roving = useRoving<HTMLDivElement>('[data-row]');
  const best = Math.max(...hits.map(hit => Math.abs(hit.score)), 0);
  const strongest = Math.max(
    ...hits.flatMap(hit => hit.parts.map(part => Math.abs(part.value))),
    0
  );
  return (
    <section className="iai-memory-list" aria-label={trans('Search')} aria-busy={busy}>
      <SearchBox />
      {fault && <Fault text={fault} />}
      <div {...roving}>
        <ol className="iai-memory-hits" aria-label={trans('What was found')}>
          {hits.map((hit, index) => (
            <li key={hit.item.n}>
              <HitView hit={hit} best={best} strongest={strongest} first={index === 0} />
            </li>
          ))}
        </ol>
      </div>
      {text !== null && hits.length === 0 && !busy && !fault && (
        <p className="iai-memory-empty">{trans('Nothing was found.')}</p>
      )}
      {text === null && (
        <p className="iai-memory-empty">
          {trans('Ask a question, or give words; every memory that is found says why it came.')}
        </p>
      )}
      {more && (
        <button
          type="button"
          className="iai-memory-button iai-memory-more"
          disabled={busy}
          onClick={() => void model.moreHits()}
        >
          {trans('Show more')}
        </button>
      )}
    </section>
  );
}

function SearchBox() {
  const { model, trans } = useShared();
  const asked = useInspector().results.text;
  const [text, setText] = useState(asked ?? '');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void model.search(text);
  };
  return (
    <form role="search" className="iai-memory-search" onSubmit={submit}>
      <input
        type="search"
        value={text}
        aria-label={trans('Question or words')}
        placeholder={trans('Question or words')}
        onChange={event => setText(event.target.value)}
      />
      <button type="submit" className="iai-memory-button" data-primary>
        {trans('Search')}
      </button>
    </form>
  );
}

interface HitProps {
  readonly hit: Hit;
  /** The largest score, and the largest part of one, in this answer. */
  readonly best: number;
  readonly strongest: number;
  readonly first: boolean;
}

function HitView({ hit, best, strongest, first }: HitProps) {
  const { model, trans, language } = useShared();
  const { opened } = useInspector();
  const { item } = hit;
  const about = aboutText(item);
  return (
    <article className="iai-memory-hit">
      <button
        type="button"
        className="iai-memory-row"
        data-row={item.id}
        aria-current={opened?.id === item.id ? 'true' : undefined}
        onClick={() => void model.open(item.id)}
      >
        <span className="iai-memory-score">
          <span>{trans('Score {score}', { score: hit.score.toFixed(2) })}</span>
          <Bar value={hit.score} most={best} />
        </span>
        <span className="iai-memory-said-by">
          {about && <strong>{about}</strong>}
          <span className="iai-memory-quiet">{whenText(item.at, language)}</span>
          <Chips item={item} />
        </span>
        <span className="iai-memory-text">
          {hit.pieces.map(([text, found], index) =>
            found ? <mark key={index}>{visible(text)}</mark> : visible(text)
          )}
        </span>
      </button>
      <details className="iai-memory-more-of" open={first}>
        <summary>{trans('Why it was found')}</summary>
        <Why hit={hit} strongest={strongest} />
      </details>
      {hit.near.length > 0 && (
        <details className="iai-memory-more-of">
          <summary>
            {trans('What was said before and after ({count})', { count: hit.near.length })}
          </summary>
          <Near items={hit.near} at={item.n} />
        </details>
      )}
    </article>
  );
}

/** Each part of the score as a bar, with its reason. */
function Why({ hit, strongest }: { readonly hit: Hit; readonly strongest: number }) {
  const { trans } = useShared();
  return (
    <table className="iai-memory-why">
      <thead>
        <tr>
          <th scope="col">{trans('Part')}</th>
          <th scope="col" colSpan={2}>
            {trans('Counts')}
          </th>
          <th scope="col">{trans('Reason')}</th>
        </tr>
      </thead>
      <tbody>
        {hit.parts.map(part => (
          <tr key={part.part}>
            <th scope="row">{partName(part.part, trans)}</th>
            <td className="iai-memory-number">{signed(part.value)}</td>
            <td className="iai-memory-bar-cell">
              <Bar value={part.value} most={strongest} />
            </td>
            <td>{reasonText(part, hit.terms, trans)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Near({ items, at }: { readonly items: readonly Item[]; readonly at: number }) {
  const { trans } = useShared();
  return (
    <ul className="iai-memory-near">
      {items.map(item => (
        <li key={item.n}>
          <span className="iai-memory-quiet">
            {item.n < at ? trans('Before') : trans('After')}
            {item.role && ` · ${visible(item.role)}`}
          </span>
          <span>{visible(item.text)}</span>
        </li>
      ))}
    </ul>
  );
}

/** A number beside others of its kind; the number itself stands in words beside it. */
export function Bar({ value, most }: { readonly value: number; readonly most: number }) {
  const width = most > 0 ? Math.min(100, (Math.abs(value) / most) * 100) : 0;
  return (
    <span className="iai-memory-bar" aria-hidden="true">
      <span data-negative={value < 0} style={{ width: `${width}%` }} />
    </span>
  );
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
}
