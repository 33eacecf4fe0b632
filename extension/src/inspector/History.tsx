/** The versions of a memory, the newest first: what changed, and both axes of time. */
import { useMemo, useState } from 'react';
import { visible } from '../core/text';
import { useShared } from './context';
import { textDiff } from './diff';
import type { Detail, Item } from './types';
import { kindText, spanText } from './words';

export function History({ detail }: { readonly detail: Detail }) {
  const { trans } = useShared();
  const [now] = useState(() => Date.now() / 1000);
  const { versions, count } = detail;
  const scale = scaleOf(versions, now);
  const left = count - versions.length;
  return (
    <section className="iai-memory-history" aria-label={trans('History')}>
      <h4>{trans('History (versions: {count})', { count })}</h4>
      <ol>
        {newestFirst(versions).map(version => (
          <li key={version.n} value={version.version}>
            <Version
              version={version}
              before={versions.find(one => one.n === version.supersedes) ?? null}
              scale={scale}
            />
          </li>
        ))}
      </ol>
      {left > 0 && (
        <p className="iai-memory-quiet">
          {trans('Earlier versions, which memory.history(id) has: {count}', { count: left })}
        </p>
      )}
    </section>
  );
}

/** By the moment of recording; of what was recorded at once, what is so last comes first. */
export function newestFirst(versions: readonly Item[]): readonly Item[] {
  const later = (a: number | null, b: number | null): number => (b ?? 0) - (a ?? 0);
  return [...versions].sort(
    (a, b) => later(a.recorded_from, b.recorded_from) || later(a.valid_from, b.valid_from)
  );
}

interface VersionProps {
  readonly version: Item;
  readonly before: Item | null;
  readonly scale: Scale;
}

function Version({ version, before, scale }: VersionProps) {
  const { trans, language } = useShared();
  const pieces = useMemo(
    () => textDiff(before?.text ?? version.text, version.text),
    [before, version]
  );
  const other = before ? otherChanges(before, version) : [];
  return (
    <div className="iai-memory-version" data-past={version.recorded_to !== null}>
      <p className="iai-memory-body-text">
        {pieces.map(({ change, text }, index) =>
          change === 'added' ? (
            <ins key={index}>{visible(text)}</ins>
          ) : change === 'removed' ? (
            <del key={index}>{visible(text)}</del>
          ) : (
            visible(text)
          )
        )}
      </p>
      {other.map(([name, was, is]) => (
        <p key={name} className="iai-memory-quiet">
          {nameOf(name, trans)} <del>{visible(textOf(name, was, trans))}</del>{' '}
          <ins>{visible(textOf(name, is, trans))}</ins>
        </p>
      ))}
      <Axis
        label={trans('Is so')}
        text={spanText(version.valid_from, version.valid_to, trans, language)}
        from={version.valid_from}
        to={version.valid_to}
        scale={scale}
      />
      <Axis
        label={trans('Recorded')}
        text={spanText(version.recorded_from, version.recorded_to, trans, language)}
        from={version.recorded_from}
        to={version.recorded_to}
        scale={scale}
      />
    </div>
  );
}

interface AxisProps {
  readonly label: string;
  readonly text: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly scale: Scale;
}

/** An interval as a bar beside those of other versions; an open end reaches the edge. */
function Axis({ label, text, from, to, scale }: AxisProps) {
  const { start, width } = placeOf(from, to, scale);
  return (
    <div className="iai-memory-axis">
      <span>{label}</span>
      <span className="iai-memory-bar" aria-hidden="true">
        <span style={{ marginInlineStart: `${start}%`, width: `${width}%` }} />
      </span>
      <span>{text}</span>
    </div>
  );
}

export interface Scale {
  readonly start: number;
  readonly end: number;
}

/** From the earliest moment that any version names to the latest, or now. */
export function scaleOf(versions: readonly Item[], now: number): Scale {
  const moments = versions
    .flatMap(one => [one.valid_from, one.valid_to, one.recorded_from, one.recorded_to])
    .filter((at): at is number => at !== null);
  const [start, last] = [Math.min(now, ...moments), Math.max(now, ...moments)];
  return { start, end: last + Math.max(1e-6, (last - start) * 0.05) };
}

/** Where an interval lies on a scale, in percent. */
export function placeOf(
  from: number | null,
  to: number | null,
  { start, end }: Scale
): { readonly start: number; readonly width: number } {
  const share = (at: number): number => ((at - start) / (end - start)) * 100;
  const [left, right] = [share(from ?? start), share(to ?? end)];
  const width = Math.max(right - left, 1);
  return { start: Math.min(left, 99), width };
}

type Other = 'kind' | 'subject' | 'tags';

function otherChanges(before: Item, version: Item): [Other, unknown, unknown][] {
  const names: readonly Other[] = ['kind', 'subject', 'tags'];
  return names
    .filter(name => String(before[name]) !== String(version[name]))
    .map(name => [name, before[name], version[name]]);
}

function nameOf(name: Other, trans: ReturnType<typeof useShared>['trans']): string {
  return { kind: trans('Kind'), subject: trans('About'), tags: trans('Tags') }[name];
}

function textOf(name: Other, value: unknown, trans: ReturnType<typeof useShared>['trans']): string {
  if (name === 'kind') {
    return kindText(value as Item['kind'], trans);
  }
  return (Array.isArray(value) ? value.join(', ') : String(value)) || '–';
}
