/** A bar between two areas that changes the size of one of them, by pointer and by arrow keys. */
import { useRef, type KeyboardEvent, type PointerEvent } from 'react';

interface Props {
  readonly label: string;
  /** Whether it moves from side to side. */
  readonly axis: 'x' | 'y';
  /** 1: the area grows as the bar goes right or down; -1: as it goes left or up. */
  readonly direction: 1 | -1;
  readonly size: number;
  readonly min: number;
  readonly max: number;
  readonly onSize: (size: number) => void;
}

const STEP = 16;

export function Splitter({ label, axis, direction, size, min, max, onSize }: Props) {
  const drag = useRef<{ readonly from: number; readonly size: number } | null>(null);
  const change = (next: number): void => onSize(Math.round(Math.min(max, Math.max(min, next))));
  const at = (event: PointerEvent): number => (axis === 'x' ? event.clientX : event.clientY);
  const onKeyDown = (event: KeyboardEvent): void => {
    const [back, forth] = axis === 'x' ? ['ArrowLeft', 'ArrowRight'] : ['ArrowUp', 'ArrowDown'];
    const step = event.key === forth ? STEP : event.key === back ? -STEP : 0;
    if (step !== 0) {
      event.preventDefault();
      change(size + step * direction);
    }
  };
  return (
    <div
      className="iai-splitter"
      data-axis={axis}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={axis === 'x' ? 'vertical' : 'horizontal'}
      aria-valuenow={size}
      aria-valuemin={min}
      aria-valuemax={max}
      onKeyDown={onKeyDown}
      onPointerDown={event => {
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { from: at(event), size };
      }}
      onPointerMove={event => {
        if (drag.current) {
          change(drag.current.size + (at(event) - drag.current.from) * direction);
        }
      }}
      onPointerUp={() => {
        drag.current = null;
      }}
    />
  );
}
