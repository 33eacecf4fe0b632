/** Text that a node wrote: terminal colours are shown, everything else is text. */
import { memo, useLayoutEffect, useMemo, useRef } from 'react';
import { ansiSpans } from '../../core/ansi';

interface Props {
  readonly text: string;
  /** For screen readers. */
  readonly label: string;
  /** Whether the newest line stays in sight. */
  readonly follow?: boolean;
  /** Whether it stands among others of its kind: no place of the page to go to. */
  readonly inner?: boolean;
}

export const LogView = memo(function LogView({
  text,
  label,
  follow = false,
  inner = false
}: Props) {
  const element = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  const spans = useMemo(() => ansiSpans(text), [text]);
  useLayoutEffect(() => {
    const log = element.current;
    if (log && follow && atEnd.current) {
      log.scrollTop = log.scrollHeight;
    }
  }, [spans, follow]);
  const scrolled = (): void => {
    const log = element.current;
    atEnd.current = !log || log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
  };
  return (
    <pre
      className="iai-log nowheel"
      ref={element}
      onScroll={scrolled}
      tabIndex={0}
      role={follow ? 'log' : inner ? 'group' : 'region'}
      aria-label={label}
      aria-live="off"
    >
      {spans.map((span, index) =>
        span.classes.length === 0 ? (
          span.text
        ) : (
          <span key={index} className={span.classes.join(' ')}>
            {span.text}
          </span>
        )
      )}
    </pre>
  );
});
