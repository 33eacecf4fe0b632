/** What limits both lists. */
import { useEffect, useId, useState, type ReactNode } from 'react';
import { useInspector, useShared } from './context';
import { countOf, NO_LIMITS, type Fields } from './limits';
import { KINDS, type Kind } from './types';
import { kindHelp, kindText } from './words';

/** Milliseconds after which a text that is being written counts. */
const PAUSE = 400;

interface FiltersProps {
  readonly id: string;
  readonly open: boolean;
}

interface ButtonProps extends FiltersProps {
  onToggle(): void;
}

/** Opens the filters, and says how many limit the lists. */
export function FilterButton({ id, open, onToggle }: ButtonProps) {
  const { trans } = useShared();
  const { fields, ended } = useInspector();
  const count = countOf(fields) + (ended ? 1 : 0);
  return (
    <button
      type="button"
      className="iai-memory-button"
      aria-expanded={open}
      aria-controls={id}
      onClick={onToggle}
    >
      {count > 0 ? trans('Filters ({count})', { count }) : trans('Filters')}
    </button>
  );
}

export function Filters({ id, open }: FiltersProps) {
  const { model, trans } = useShared();
  const { fields, ended, view } = useInspector();
  const isLimited = ended || countOf(fields) > 0;
  return (
    <div id={id} className="iai-memory-filters" hidden={!open && !fields.asOf}>
      {fields.asOf && (
        <span className="iai-memory-chip" data-tone="past">
          {trans('As of {moment}', { moment: fields.asOf.replace('T', ' ') })}
        </span>
      )}
      <div className="iai-memory-fields" hidden={!open}>
        <Field label={trans('Kind')}>
          {id => (
            <select
              id={id}
              value={fields.kind}
              onChange={event => model.limit({ kind: event.target.value as Kind | '' })}
            >
              <option value="">{trans('All kinds')}</option>
              {KINDS.map(kind => (
                <option key={kind} value={kind}>
                  {`${kindText(kind, trans)}: ${kindHelp(kind, trans)}`}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Text name="subject" label={trans('About')} />
        <Text name="tags" label={trans('Tags, between commas')} />
        <Text name="since" label={trans('So on or after')} type="date" />
        <Text name="until" label={trans('So on or before')} type="date" />
        <Text name="asOf" label={trans('As of')} type="datetime-local" />
        {view === 'timeline' && (
          <label className="iai-memory-check">
            <input
              type="checkbox"
              checked={ended}
              onChange={event => model.limit({}, event.target.checked)}
            />
            {trans('Also what was forgotten or is over')}
          </label>
        )}
        {isLimited && (
          <button
            type="button"
            className="iai-memory-button iai-memory-clear"
            onClick={() => model.limit(NO_LIMITS, false)}
          >
            {trans('Clear filters')}
          </button>
        )}
      </div>
    </div>
  );
}

interface TextProps {
  readonly name: Exclude<keyof Fields, 'kind'>;
  readonly label: string;
  readonly type?: 'text' | 'date' | 'datetime-local';
}

/** A field that counts when the person pauses, or leaves it. */
function Text({ name, label, type = 'text' }: TextProps) {
  const { model } = useShared();
  const value = useInspector().fields[name];
  const [written, setWritten] = useState(value);
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    setWritten(value); // cleared from outside
  }
  useEffect(() => {
    if (written === model.state.get().fields[name]) {
      return undefined;
    }
    const timer = setTimeout(() => model.limit({ [name]: written }), PAUSE);
    return () => clearTimeout(timer);
  }, [written, name, model]);
  return (
    <Field label={label}>
      {id => (
        <input
          id={id}
          type={type}
          value={written}
          step={type === 'datetime-local' ? 1 : undefined}
          spellCheck={false}
          onChange={event => setWritten(event.target.value)}
        />
      )}
    </Field>
  );
}

export function Field({
  label,
  children
}: {
  readonly label: string;
  readonly children: (id: string) => ReactNode;
}) {
  const id = useId();
  return (
    <div className="iai-memory-field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  );
}
