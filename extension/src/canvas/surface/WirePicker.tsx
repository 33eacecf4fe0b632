/** Connects two nodes with the keyboard: first where the wire starts, then where it ends. */
import { useReactFlow, useStoreApi } from '@xyflow/react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { attemptEdit } from '../../core/attempt';
import type { Controller, Wire as End } from '../../core/controller';
import { connect } from '../../core/edits/edges';
import { newInput } from '../../core/ports';
import { useController, useSelect } from '../hooks';
import { AimedWire } from './AimedWire';
import { useShared } from './context';
import { CARD_WIDTH } from './geometry';
import { Lights } from './lights';
import { sameWire } from './Ports';
import { boxOf, type AnyNode, type Wire } from './scene';
import { elementOf, WireChoices } from './WireChoices';
import { endsOf, ownPorts } from './wireEnds';

/** Stands while `view.wiring` is set. */
export function WirePicker() {
  const controller = useController();
  const wiring = useSelect(controller.view, view => view.wiring);
  return wiring && !controller.readOnly ? <Picker key={wiring.node} first={wiring} /> : null;
}

interface Props {
  readonly first: End;
}

function Picker({ first }: Props) {
  const controller = useController();
  const rf = useReactFlow<AnyNode, Wire>();
  const { trans } = controller.services;
  const [starts] = useState(() => ownPorts(rf.getNode(first.node), first.node));
  const [from, setFrom] = useState<End | null>(starts.length > 1 ? null : first);
  const lights = useLights(from ?? first);
  const shown = { near: first.node, onAim: useAim(), onLeave: () => leave(controller, first) };
  return from ? (
    <Ends {...shown} from={from} lights={lights} />
  ) : (
    <WireChoices
      {...shown}
      label={trans('Where the wire starts')}
      empty={trans('It has no ports.')}
      choices={starts}
      initial={Math.max(
        0,
        starts.findIndex(({ end }) => sameWire(end, first))
      )}
      onChoose={setFrom}
    />
  );
}

interface EndsProps {
  readonly near: string;
  readonly from: End;
  readonly lights: Lights;
  onAim(end: End): void;
  onLeave(): void;
}

/** Where the wire may end, ports that it would add included, and the search for a new node. */
function Ends({ from, lights, ...shown }: EndsProps) {
  const controller = useController();
  const rf = useReactFlow<AnyNode, Wire>();
  const { trans } = controller.services;
  const choices = useMemo(
    () =>
      endsOf(rf.getNodes(), from, {
        trans,
        fits: end => lights.verdict(end).ok,
        added: node => {
          const port = newInput(controller.flow, controller.catalog.get(), from, node);
          const end = { node, port: port?.name ?? '', side: 'input' } as const;
          return port && lights.verdict(end).ok ? port : undefined;
        }
      }),
    [rf, from, lights, controller, trans]
  );
  return (
    <>
      <AimedWire from={from} />
      <WireChoices
        {...shown}
        label={trans('Where the wire ends')}
        empty={trans('No port fits.')}
        choices={choices}
        initial={0}
        onChoose={end => {
          join(controller, from, end);
          shown.onLeave();
        }}
        more={{
          text: trans('New node…'),
          run: () => search(controller, rf.getNode(shown.near), from)
        }}
      />
    </>
  );
}

/** Lights up the ports where a wire may end, as long as the picker stands. */
function useLights(from: End): Lights {
  const controller = useController();
  const shared = useShared();
  const lights = useMemo(
    () => new Lights(from, controller.flow, controller.catalog.get()),
    [controller, from]
  );
  useEffect(() => {
    shared.lights.set(lights);
    return () => {
      shared.lights.set(null);
      shared.aim.set(null);
    };
  }, [shared, lights]);
  return lights;
}

/** Shows an end as the one that is meant, and brings its node into sight. */
function useAim(): (end: End) => void {
  const shared = useShared();
  const rf = useReactFlow<AnyNode, Wire>();
  const page = useStoreApi();
  return useCallback(
    (end: End): void => {
      shared.aim.set(end);
      if (!elementOf(page.getState().domNode, end.node)) {
        void rf.fitView({ nodes: [{ id: end.node }], maxZoom: 1, padding: 0.4 });
      }
    },
    [shared, rf, page]
  );
}

function join(controller: Controller, from: End, end: End): void {
  const { trans } = controller.services;
  const done = attemptEdit(controller, trans('Connect'), flow =>
    connect(flow, from, end, controller.catalog.get())
  );
  if (done) {
    controller.say(
      trans('Connected {source} to {target}.', { source: from.node, target: end.node })
    );
  }
}

function leave(controller: Controller, first: End): void {
  controller.look({ wiring: null });
  controller.surface?.focus(first.node);
}

/** Search for a node that takes the wire; it comes beside the one where the wire starts. */
function search(controller: Controller, node: AnyNode | undefined, from: End): void {
  const box = node ? boxOf(node) : { x: 0, y: 0, width: 0, height: 0 };
  const at = [box.x + (from.side === 'input' ? -CARD_WIDTH - 96 : box.width + 96), box.y] as const;
  const screen = controller.surface?.toScreen(at) ?? [0, 0];
  controller.look({ wiring: null, quick: { at, screen, wire: from } });
}
