/** Connects two nodes with the keyboard: first where the wire starts, then where it ends. */
import { useReactFlow, useStoreApi, ViewportPortal } from '@xyflow/react';
import {
  useCallback,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent
} from 'react';
import { attemptEdit } from '../../core/attempt';
import type { Wire as End } from '../../core/controller';
import { connect } from '../../core/edits/edges';
import { useController, useSelect, useStore } from '../hooks';
import { useShared } from './context';
import { CARD_WIDTH, rowMiddle } from './geometry';
import { Lights } from './lights';
import { familyOf, sameWire } from './Ports';
import { boxOf, type AnyNode, type CardNode, type Wire } from './scene';

interface Choice {
  readonly end: End;
  readonly text: string;
  readonly type: string;
}

/** Stands while `view.wiring` is set. */
export function WirePicker() {
  const controller = useController();
  const wiring = useSelect(controller.view, view => view.wiring);
  return wiring && !controller.readOnly ? <Picker key={wiring.node} first={wiring} /> : null;
}

function Picker({ first }: { readonly first: End }) {
  const controller = useController();
  const shared = useShared();
  const rf = useReactFlow<AnyNode, Wire>();
  const page = useStoreApi();
  const { trans } = controller.services;
  const [starts] = useState(() => ownPorts(rf.getNode(first.node), first.node));
  const [from, setFrom] = useState<End | null>(starts.length > 1 ? null : first);
  const lights = useMemo(
    () => new Lights(from ?? first, controller.flow, controller.catalog.get()),
    [controller, from, first]
  );
  const ends = useMemo(
    () => (from ? targetsOf(rf, from, end => lights.verdict(end).ok) : []),
    [rf, from, lights]
  );
  useEffect(() => {
    shared.lights.set(lights);
    return () => {
      shared.lights.set(null);
      shared.aim.set(null);
    };
  }, [shared, lights]);

  const aim = useCallback(
    (end: End): void => {
      shared.aim.set(end);
      reveal(rf, page.getState().domNode, end.node);
    },
    [shared, rf, page]
  );
  const leave = (): void => {
    controller.look({ wiring: null });
    controller.surface?.focus(first.node);
  };
  const finish = (end: End): void => {
    if (from) {
      const done = attemptEdit(controller, trans('Connect'), flow =>
        connect(flow, from, end, controller.catalog.get())
      );
      if (done) {
        controller.say(
          trans('Connected {source} to {target}.', { source: from.node, target: end.node })
        );
      }
    }
    leave();
  };
  const search = (): void => {
    const node = rf.getNode(first.node);
    const box = node ? boxOf(node) : { x: 0, y: 0, width: 0, height: 0 };
    const at = [
      box.x + (from?.side === 'input' ? -CARD_WIDTH - 96 : box.width + 96),
      box.y
    ] as const;
    const screen = controller.surface?.toScreen(at) ?? [0, 0];
    controller.look({ wiring: null, quick: { at, screen, wire: from } });
  };
  return from ? (
    <>
      <AimedWire from={from} />
      <Choices
        key="to"
        near={first.node}
        label={trans('Where the wire ends')}
        empty={trans('No port fits.')}
        choices={ends}
        initial={0}
        onAim={aim}
        onChoose={finish}
        onLeave={leave}
        more={{ text: trans('New node…'), run: search }}
      />
    </>
  ) : (
    <Choices
      key="from"
      near={first.node}
      label={trans('Where the wire starts')}
      empty={trans('It has no ports.')}
      choices={starts}
      initial={Math.max(
        0,
        starts.findIndex(({ end }) => sameWire(end, first))
      )}
      onAim={aim}
      onChoose={setFrom}
      onLeave={leave}
    />
  );
}

interface ChoicesProps {
  readonly near: string;
  readonly label: string;
  readonly empty: string;
  readonly choices: readonly Choice[];
  readonly initial: number;
  readonly more?: { readonly text: string; run(): void };
  onAim(end: End): void;
  onChoose(end: End): void;
  onLeave(): void;
}

function Choices(props: ChoicesProps) {
  const { near, label, choices, more, onAim } = props;
  const controller = useController();
  const [at, setAt] = useState(props.initial);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  const count = choices.length + (more ? 1 : 0);
  useEffect(() => list.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    const choice = choices[at];
    if (choice) {
      onAim(choice.end);
    }
    list.current?.children[at]?.scrollIntoView({ block: 'nearest' });
  }, [at, choices, onAim]);
  const run = (index: number): void => {
    const choice = choices[index];
    if (choice) {
      props.onChoose(choice.end);
    } else {
      more?.run();
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step !== undefined) {
      setAt((at + step + count) % Math.max(1, count));
    } else if (event.key === 'Enter' || event.key === ' ') {
      run(at);
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      props.onLeave();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const page = useStoreApi();
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
        {choices.map(({ end, text, type }, index) => (
          <li
            key={`${end.side} ${end.node}.${end.port}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            onPointerEnter={() => setAt(index)}
            onPointerDown={event => event.preventDefault()}
            onClick={() => run(index)}
          >
            <span className="iai-dot" data-family={familyOf(type)} aria-hidden="true" />
            <bdi>{text}</bdi>
            <span className="iai-choice-type">{type}</span>
          </li>
        ))}
        {more && (
          <li
            id={`${id}-${choices.length}`}
            role="option"
            aria-selected={at === choices.length}
            onPointerEnter={() => setAt(choices.length)}
            onPointerDown={event => event.preventDefault()}
            onClick={() => more.run()}
          >
            {more.text}
          </li>
        )}
      </ul>
    </div>
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

function ownPorts(node: AnyNode | undefined, id: string): Choice[] {
  const data = node?.data as Partial<CardNode['data']> | undefined;
  return [
    ...(data?.outputs ?? []).map(port => choice(id, port, 'output', `${port.name} →`)),
    ...(data?.inputs ?? []).map(port => choice(id, port, 'input', `→ ${port.name}`))
  ];
}

function choice(
  node: string,
  port: { readonly name: string; readonly type: string },
  side: End['side'],
  text: string
): Choice {
  return { end: { node, port: port.name, side }, text, type: port.type };
}

/** The ports where a wire may end, the nearest first. */
function targetsOf(
  rf: { getNodes(): AnyNode[] },
  from: End,
  fits: (end: End) => boolean
): Choice[] {
  const nodes = rf.getNodes();
  const start = nodes.find(node => node.id === from.node);
  const distance = (node: AnyNode): number => {
    const dx = (node.position.x - (start?.position.x ?? 0)) * (from.side === 'output' ? 1 : -1);
    const dy = Math.abs(node.position.y - (start?.position.y ?? 0));
    return Math.abs(dx) + dy + (dx < 0 ? 10_000 : 0);
  };
  const side = from.side === 'output' ? 'input' : 'output';
  return nodes
    .filter((node): node is CardNode => node.type === 'card' || node.type === 'params')
    .sort((one, other) => distance(one) - distance(other))
    .flatMap(node => {
      const ports = (side === 'input' ? node.data.inputs : node.data.outputs) ?? [];
      return ports.map(port => choice(node.id, port, side, `${titleOf(node)} · ${port.name}`));
    })
    .filter(({ end }) => fits(end));
}

function titleOf({ id, data }: CardNode): string {
  const title = data.node?.title || data.type?.title;
  return title && title !== id ? `${title} (${id})` : id;
}

/** A node that is in the page, on this surface and no other. */
function elementOf(surface: HTMLElement | null, id: string): Element | null {
  return surface?.querySelector(`.react-flow__node[data-id="${CSS.escape(id)}"]`) ?? null;
}

function reveal(
  rf: ReturnType<typeof useReactFlow<AnyNode, Wire>>,
  surface: HTMLElement | null,
  id: string
): void {
  if (!elementOf(surface, id)) {
    void rf.fitView({ nodes: [{ id }], maxZoom: 1, padding: 0.4 });
  }
}

/** The wire as it would be. */
function AimedWire({ from }: { readonly from: End }) {
  const aim = useStore(useShared().aim);
  const rf = useReactFlow<AnyNode, Wire>();
  const [start, end] = [
    portPoint(rf.getNode(from.node), from),
    aim && portPoint(rf.getNode(aim.node), aim)
  ];
  if (!start || !end) {
    return null;
  }
  const bend = Math.max(40, Math.abs(end[0] - start[0]) / 2) * (from.side === 'output' ? 1 : -1);
  return (
    <ViewportPortal>
      <svg className="iai-aimed-wire" aria-hidden="true">
        <path
          d={`M${start[0]},${start[1]} C${start[0] + bend},${start[1]} ${end[0] - bend},${end[1]} ${end[0]},${end[1]}`}
        />
      </svg>
    </ViewportPortal>
  );
}

function portPoint(node: AnyNode | undefined, end: End): readonly [number, number] | null {
  const data = node?.data as Partial<CardNode['data']> | undefined;
  const ports = (end.side === 'input' ? data?.inputs : data?.outputs) ?? [];
  const row = ports.findIndex(port => port.name === end.port);
  if (!node || row < 0) {
    return null;
  }
  const x = node.position.x + (end.side === 'output' ? CARD_WIDTH : 0);
  return [x, node.position.y + rowMiddle(row)];
}
