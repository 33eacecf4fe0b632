/** The surface that the graph lies on: what it shows of itself, and what the keyboard does. */
import { useContext, useRef, type MouseEvent } from 'react';
import { whyReadOnly } from '../../core/commands/why';
import type { Controller } from '../../core/controller';
import type { Scope } from '../../core/flow';
import { focusAround, useHeldFocus } from '../chrome/useHeldFocus';
import { useController, useReadOnly, useSelect, useStore } from '../hooks';
import { FarContext, PrefixContext, useShared } from './context';
import { MANY } from './geometry';
import { Graph } from './Graph';
import { Hints } from './Hints';
import { Menu } from './Menu';
import { Refusal } from './Refusal';
import { useDistance, type Distance } from './useDistance';
import { useDoor } from './useDoor';
import { useDrops } from './useDrops';
import { useFit } from './useFit';
import { useInSight } from './useInSight';
import { useKeys } from './useKeys';
import { useNudge } from './useNudge';
import { useScene } from './useScene';
import { useWheel } from './useWheel';
import { WirePicker } from './WirePicker';

export function Board() {
  const controller = useController();
  const shared = useShared();
  const { trans } = controller.services;
  const surface = useRef<HTMLDivElement>(null);
  const prefix = useContext(PrefixContext);
  const distance = useDistance();
  const far = distance !== 'near';
  const scene = useScene(controller, far);
  const editable = !useReadOnly(controller);
  const scope = useSelect(controller.view, view => view.scope);
  const gesture = useStore(shared.gesture);
  const wiring = useSelect(shared.lights, lights => lights !== null);
  const onKeyDown = useKeys(shared, useNudge(controller));
  const wheel = useWheel();
  useDoor(controller, surface);
  useDrops(shared, surface);
  useFit(scope, scene.nodes);
  useInSight(controller, surface);
  useHeldFocus(surface, focusAround);
  return (
    <div
      ref={surface}
      className="iai-surface"
      data-far={far ? lookOf(distance, scene.nodes.length) : undefined}
      data-wiring={wiring || undefined}
      data-gesture={gesture ?? undefined}
      data-read-only={!editable || undefined}
      role="application"
      aria-roledescription={trans('flow editor')}
      aria-label={trans('Flow {name}', { name: scene.flow.name || outerNode(scope) })}
      aria-describedby={`${prefix}-help`}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onFocus={wheel.onFocus}
      onBlur={wheel.onBlur}
      onDoubleClick={event => searchAt(event, controller)}
    >
      <FarContext.Provider value={far}>
        <Graph scene={scene} surface={surface} wheel={wheel.active} />
      </FarContext.Provider>
      <WirePicker />
      <Refusal />
      <Menu />
      <Hints id={`${prefix}-help`} empty={scene.nodes.length === 0 && editable} />
    </div>
  );
}

/** A nested flow has no name of its own: it is called after the node that it is in. */
function outerNode(scope: Scope): string {
  return scope.at(-1)?.[0] ?? '';
}

/** A small flow has names that are legible from far away. */
function lookOf(distance: Distance, count: number): string {
  return count <= MANY ? 'small' : distance;
}

/** A double click on empty surface asks for a node. */
function searchAt(event: MouseEvent<HTMLElement>, controller: Controller): void {
  const target = event.target as HTMLElement;
  const refusal = whyReadOnly(controller);
  if (!target.classList.contains('react-flow__pane')) {
    return;
  }
  if (refusal) {
    controller.services.notify(refusal, 'info');
  } else if (controller.surface) {
    const box = event.currentTarget.getBoundingClientRect();
    const screen = [event.clientX - box.x, event.clientY - box.y] as const;
    controller.look({ quick: { at: controller.surface.pointer(), screen, wire: null } });
  }
}
