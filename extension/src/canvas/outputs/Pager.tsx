/** Which part of a long value is shown, and the way to the others. */
import { useState, type FormEvent } from 'react';
import type { Services } from '../../core/services';
import { count as spell } from './Output';

interface Props {
  readonly offset: number;
  /** How many are shown. */
  readonly count: number;
  /** Null: not known. */
  readonly total: number | null;
  /** How many a page holds. */
  readonly page: number;
  readonly unit: 'rows' | 'characters';
  readonly services: Services;
  readonly onOffset: (offset: number) => void;
}

export function Pager({ offset, count, total, page, unit, services, onOffset }: Props) {
  const atEnd = total === null ? count < page : offset + count >= total;
  const last = total === null ? null : Math.max(0, Math.floor((total - 1) / page) * page);
  return (
    <nav className="iai-pager" aria-label={services.trans('Pages')}>
      <span className="iai-pager-steps">
        <Step
          label={services.trans('First page')}
          sign="«"
          off={offset === 0}
          go={() => onOffset(0)}
        />
        <Step
          label={services.trans('Previous page')}
          sign="‹"
          off={offset === 0}
          go={() => onOffset(Math.max(0, offset - page))}
        />
        <span aria-live="polite">{rangeText({ offset, count, total, unit, services })}</span>
        <Step
          label={services.trans('Next page')}
          sign="›"
          off={atEnd}
          go={() => onOffset(offset + page)}
        />
        {last !== null && (
          <Step
            label={services.trans('Last page')}
            sign="»"
            off={atEnd}
            go={() => onOffset(last)}
          />
        )}
      </span>
      {unit === 'rows' && <Jump services={services} total={total} onOffset={onOffset} />}
    </nav>
  );
}

interface StepProps {
  readonly label: string;
  readonly sign: string;
  readonly off: boolean;
  readonly go: () => void;
}

function Step({ label, sign, off, go }: StepProps) {
  return (
    <button
      type="button"
      className="iai-icon-button"
      aria-label={label}
      title={label}
      disabled={off}
      onClick={go}
    >
      <span aria-hidden="true">{sign}</span>
    </button>
  );
}

type JumpProps = Pick<Props, 'services' | 'total' | 'onOffset'>;

function Jump({ services, total, onOffset }: JumpProps) {
  const [text, setText] = useState('');
  const label = services.trans('Go to row');
  const jump = (event: FormEvent): void => {
    event.preventDefault();
    const row = Math.min(Number(text), total ?? Infinity);
    if (Number.isInteger(row) && row >= 1) {
      onOffset(row - 1);
    }
  };
  return (
    <form onSubmit={jump}>
      <input
        className="iai-input"
        inputMode="numeric"
        size={8}
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={event => setText(event.target.value.replace(/\D/g, ''))}
      />
    </form>
  );
}

/** `Rows 1-100 of 336,776`. */
function rangeText(range: Pick<Props, 'offset' | 'count' | 'total' | 'unit' | 'services'>): string {
  const { offset, count, total, unit, services } = range;
  const { language } = services;
  if (count === 0) {
    return unit === 'rows' ? services.trans('No rows') : services.trans('No text');
  }
  const values = { first: spell(offset + 1, language), last: spell(offset + count, language) };
  if (total === null) {
    return services.trans('Rows {first}–{last}', values);
  }
  const all = { ...values, total: spell(total, language) };
  return unit === 'rows'
    ? services.trans('Rows {first}–{last} of {total}', all)
    : services.trans('Characters {first}–{last} of {total}', all);
}
