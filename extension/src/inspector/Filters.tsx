/** What limits both lists. */
import { useEffect, useId, useState, type ReactNode } from 'react';
import { useInspector, useShared } from './context';
import { countOf, NO_LIMITS, type Fields } from './limits';
import { KINDS, type Kind } from './types';
import { kindHelp, kindText } from './words';

/** Milliseconds after which a text that is being written counts. */
const PAUSE = 400;

export function Filters() {
  const { model, trans } = useShared();
  const { fields, ended, view } = useInspector();
  const [isOpen, setOpen] = useState(false);
  const count = countOf(fields) + (ended ? 1 : 0);
  const panel = useId();
  return (
    <div className="iai-memory-filters">
      <div className="iai-memory-row-of">
        <button
          type="button"
          className="iai-memory-button"
          aria-expanded={isOpen}
          aria-controls={panel}
          onClick={() => setOpen(!isOpen)}
        >
          {count > 0 ? trans('Filters ({count})', { count }) : trans('Filters')}
        </button>
        {count > 0 && (
          <button
            type="button"
            className="iai-memory-button"
            onClick={() => model.limit(NO_LIMITS, false)}
          >
            {trans('Clear filters')}
          </button>
        )}
        {fields.asOf && (
          <span className="iai-memory-chip" data-tone="past">
            {trans('As of {moment}', { moment: fields.asOf.replace('T', ' ') })}
          </span>
        )}
      </div>
      <div id={panel} className="iai-memory-fields" hidden={!isOpen}>
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
