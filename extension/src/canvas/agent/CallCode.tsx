/** Arguments that are code or long texts, as people read them: as lines, and changes as a diff. */
import { useMemo } from 'react';
import type { JsonObject } from '../../core/flow';
import type { Trans } from '../../core/i18n';
import { lineDiff } from '../../core/lineDiff';
import { visible } from '../../core/text';

/** Of these tools one argument is what stands there, and one what takes its place. */
const CHANGES: Readonly<Record<string, readonly [string, string]>> = {
  'notebook.edit': ['expected', 'source'],
  'files.replace': ['old', 'new'],
  'memory.files': ['old_str', 'new_str']
};
/** Arguments that are code, even of one line. */
const CODE: ReadonlySet<string> = new Set(['code', 'expected', 'query', 'source']);
const SIGNS = { same: '  ', removed: '- ', added: '+ ' } as const;

interface Props {
  readonly tool: string;
  readonly given: JsonObject;
  readonly trans: Trans;
}

/** Whether some argument is better read as lines. */
export function hasCode(given: JsonObject): boolean {
  return Object.entries(given).some(([name, value]) => isCode(name, value));
}

export function CallCode({ tool, given, trans }: Props) {
  const [before, after] = CHANGES[tool] ?? ['', ''];
  const [old, next] = [given[before], given[after]];
  const isChange = typeof old === 'string' && typeof next === 'string';
  const own = (name: string): boolean => isChange && (name === before || name === after);
  const entries = Object.entries(given).filter(([name]) => !own(name));
  const short = entries.filter(([name, value]) => !isCode(name, value));
  return (
    <>
      {short.length > 0 && (
        <p className="iai-ask-arguments">
          {short
            .map(([name, value]) => `${visible(name)}: ${visible(JSON.stringify(value))}`)
            .join(', ')}
        </p>
      )}
      {isChange && <Change before={old} after={next} label={trans('Change')} />}
      {entries.map(([name, value]) =>
        typeof value === 'string' && isCode(name, value) ? (
          <Lines key={name} text={value} label={name} />
        ) : null
      )}
    </>
  );
}

function isCode(name: string, value: unknown): boolean {
  return typeof value === 'string' && (CODE.has(name) || value.includes('\n'));
}

function Lines({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <figure className="iai-call-code">
      <figcaption className="iai-muted">{visible(label)}</figcaption>
      <pre className="iai-log nowheel" role="group" tabIndex={0} aria-label={visible(label)}>
        {shown(text)}
      </pre>
    </figure>
  );
}

interface ChangeProps {
  readonly before: string;
  readonly after: string;
  readonly label: string;
}

function Change({ before, after, label }: ChangeProps) {
  const lines = useMemo(() => lineDiff(before, after), [before, after]);
  return (
    <pre className="iai-log iai-call-change nowheel" role="group" tabIndex={0} aria-label={label}>
      {lines.map(({ kind, text }, index) => (
        <span key={index} className={`iai-line-${kind}`}>
          {`${SIGNS[kind]}${shown(text)}\n`}
        </span>
      ))}
    </pre>
  );
}

/** The text with everything in sight that would not be: to Python a lone return begins a line. */
function shown(text: string): string {
  return visible(text).replaceAll('\r', '<U+000D>');
}
