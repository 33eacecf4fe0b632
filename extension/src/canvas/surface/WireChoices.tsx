/**
 * A list of ends of a wire, beside a node: arrows and first letters go through it, Enter takes one,
 * Escape leaves. No key gets through to the flow below.
 */
import { useStoreApi } from '@xyflow/react';
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { Wire as End } from '../../core/controller';
import { folded } from '../../core/search';
import { useController } from '../hooks';
import { familyOf } from './Ports';
import type { Choice } from './wireEnds';

interface Props {
  /** The node that the list stands beside. */
  readonly near: string;
  readonly label: string;
  /** Said when there are no choices. */
  readonly empty: string;
  readonly choices: readonly Choice[];
  readonly initial: number;
  /** What else can be done, behind the choices. */
  readonly more?: { readonly text: string; run(): void };
  onAim(end: End): void;
  onChoose(end: End): void;
  onLeave(): void;
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowRight: 1,
  ArrowUp: -1,
  ArrowLeft: -1
};

export function WireChoices(props: Props) {
  const { near, label, choices, more } = props;
  const controller = useController();
  const page = useStoreApi();
  const id = useId();
  const { at, setAt, list } = useAimed(props);
  const run = (index: number): void => {
    const choice = choices[index];
    if (choice) {
      props.onChoose(choice.end);
    } else {
      more?.run();
    }
  };
  const options = [...choices, ...(more ? [{ text: more.text, type: null }] : [])];
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey) {
      return;
    }
    const step = STEPS[event.key];
    if (step !== undefined) {
      setAt((at + step + options.length) % Math.max(1, options.length));
    } else if (event.key === 'Enter' || event.key === ' ') {
      run(at);
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      props.onLeave();
    } else {
      setAt(beginningWith(options, event.key, at));
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const [x, y] = useMemo(() => beside(page.getState().domNode, near), [page, near]);
  return (
    <div className="iai-wire-picker nodrag nopan nowheel" style={{ left: x, top: y }}>
      <div className="iai-wire-picker-label">{choices.length > 0 ? label : props.empty}</div>
      <ul
        ref={list}
        role="listbox"
        tabIndex={0}
        aria-label={label}
        aria-activedescendant={`${id}-${at}`}
        onKeyDown={onKeyDown}
        onBlur={event => {
          if (event.relatedTarget instanceof Element) {
            controller.look({ wiring: null });
          }
        }}
      >
        {options.map(({ text, type }, index) => (
          <Option
            key={index}
            id={`${id}-${index}`}
            text={text}
            type={type}
            selected={index === at}
            onEnter={() => setAt(index)}
            onRun={() => run(index)}
          />
        ))}
      </ul>
    </div>
  );
}

/** The next option that begins with a letter; the present one when there is none. */
function beginningWith(
  options: readonly { readonly text: string }[],
  letter: string,
  at: number
): number {
  const order = options.map((_, step) => (at + 1 + step) % options.length);
  const found = order.find(index => folded(options[index]?.text ?? '').startsWith(folded(letter)));
  return found ?? at;
}

/** Which choice is meant; its end is aimed at, and in sight. */
function useAimed({ choices, initial, onAim }: Props) {
  const [at, setAt] = useState(initial);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => list.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    const choice = choices[at];
    if (choice) {
      onAim(choice.end);
    }
    list.current?.children[at]?.scrollIntoView({ block: 'nearest' });
  }, [at, choices, onAim]);
  return { at, setAt, list };
}

interface OptionProps {
  readonly id: string;
  readonly text: string;
  /** The port's type; null: it is no port. */
  readonly type: string | null;
  readonly selected: boolean;
  onEnter(): void;
  onRun(): void;
}

function Option({ id, text, type, selected, onEnter, onRun }: OptionProps) {
  return (
    <li
      id={id}
      role="option"
      aria-selected={selected}
      onPointerEnter={onEnter}
      onPointerDown={event => event.preventDefault()}
      onClick={onRun}
    >
      {type !== null && (
        <span className="iai-dot" data-family={familyOf(type)} aria-hidden="true" />
      )}
      <bdi>{text}</bdi>
      {type !== null && <span className="iai-choice-type">{type}</span>}
    </li>
  );
}

/** Beside a node, in pixels of the surface. */
function beside(surface: HTMLElement | null, near: string): readonly [number, number] {
  const box = elementOf(surface, near)?.getBoundingClientRect();
  const origin = surface?.getBoundingClientRect();
  if (!box || !origin) {
    return [16, 16];
  }
  const left = Math.min(box.left - origin.left, origin.width - 260);
  const top = Math.min(box.bottom - origin.top + 8, origin.height - 220);
  return [Math.max(8, left), Math.max(8, top)];
}

/** A node that is in the page, on this surface and no other. */
export function elementOf(surface: HTMLElement | null, id: string): Element | null {
  return surface?.querySelector(`.react-flow__node[data-id="${CSS.escape(id)}"]`) ?? null;
}
