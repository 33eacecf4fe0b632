/** The keyboard on the surface: ways between nodes, and the commands. */
import { useReactFlow, type ReactFlowInstance } from '@xyflow/react';
import { useMemo, type KeyboardEvent } from 'react';
import { commandFor, commands, refusalFor, type Command } from '../../core/commands';
import type { Controller } from '../../core/controller';
import { PARAMS } from '../../core/flow';
import { enterInspector } from './enterInspector';
import { GRID, nearest, type Direction } from './geometry';
import type { MenuAt, Shared } from './lights';
import { boxOf, flowId, isCard, isNote, type AnyNode, type Wire } from './scene';

const ARROWS: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down'
};
const STEPS: Readonly<Record<Direction, readonly [number, number]>> = {
  left: [-GRID, 0],
  right: [GRID, 0],
  up: [0, -GRID],
  down: [0, GRID]
};

const MODIFIERS = new Set(['Shift', 'Control', 'Alt', 'Meta', 'Tab']);

type Flow = ReactFlowInstance<AnyNode, Wire>;

export function useKeys(shared: Shared, nudge: (by: readonly [number, number]) => void) {
  const rf = useReactFlow<AnyNode, Wire>();
  return useMemo(() => {
    const list = commands(shared.controller);
    return (event: KeyboardEvent<HTMLElement>): void => {
      if (event.defaultPrevented || isTyping(event.target)) {
        return;
      }
      const key = focusedKey(event.target);
      const handled =
        onArrow(event, shared, rf, key, nudge) ||
        onNodeKey(event, shared, key) ||
        onSurfaceKey(event, shared, rf, key) ||
        onCommand(event, shared.controller, list, key);
      if (handled) {
        event.preventDefault();
        event.stopPropagation();
      }
    };
  }, [shared, rf, nudge]);
}

/** Whether keys go into a field. */
function isTyping(target: EventTarget): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, textarea, select, .cm-content'))
  );
}

/** The node on the surface that has the focus; null: another thing has it. */
function focusedKey(target: EventTarget): string | null {
  return target instanceof HTMLElement && target.matches('.react-flow__node')
    ? (target.dataset['id'] ?? null)
    : null;
}

/** Arrows go to the nearest node; with Alt they move what is selected. */
function onArrow(
  event: KeyboardEvent,
  { controller }: Shared,
  rf: Flow,
  key: string | null,
  nudge: (by: readonly [number, number]) => void
): boolean {
  const direction = ARROWS[event.key];
  if (!direction || event.ctrlKey || event.metaKey) {
    return false;
  }
  if (event.altKey) {
    nudge(STEPS[direction]);
    return true;
  }
  const nodes = rf.getNodes().filter(node => node.type !== 'frame');
  const next =
    key === null
      ? nodes[0]?.id
      : nearest(new Map(nodes.map(node => [node.id, boxOf(node)])), key, direction);
  if (next) {
    go(controller, next, event.shiftKey);
  }
  return next !== undefined || key !== null;
}

function go(controller: Controller, key: string, extend: boolean): void {
  const id = flowId(key);
  const { selection } = controller.view.get();
  controller.select(extend ? [...selection, id] : [id]);
  controller.surface?.focus(id);
}

function onNodeKey(
  event: KeyboardEvent,
  { controller, menu }: Shared,
  key: string | null
): boolean {
  if (key === null || event.altKey || event.ctrlKey || event.metaKey) {
    return false;
  }
  const id = flowId(key);
  if (event.key === 'Enter' && !event.shiftKey) {
    choose(controller, id);
    if (isCard(key) || key === PARAMS) {
      controller.toggle('inspector', true);
      enterInspector(event.currentTarget);
    } else if (!controller.readOnly) {
      controller.look({ renaming: id });
    }
    return true;
  }
  if (event.key === ' ') {
    const selection = new Set(controller.view.get().selection);
    void (selection.delete(id) || selection.add(id));
    controller.select(selection);
    return true;
  }
  if (event.key.toLowerCase() === 'e' && isCard(key)) {
    nextEdge(controller, id);
    return true;
  }
  if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
    choose(controller, id);
    const node = (event.target as HTMLElement).getBoundingClientRect();
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    menu.set({ x: node.x - box.x + 24, y: node.y - box.y + 24, about: aboutOf(key) });
    return true;
  }
  return false;
}

/** What the menu is about that opens at something on the surface. */
function aboutOf(key: string): MenuAt['about'] {
  return isCard(key) || key === PARAMS ? 'node' : isNote(key) ? 'note' : 'group';
}

/** Select a node unless it is among what is selected. */
function choose(controller: Controller, id: string): void {
  if (!controller.view.get().selection.has(id)) {
    controller.select([id]);
  }
}

/** Select the next of a node's edges, so that the keyboard can remove it. */
function nextEdge(controller: Controller, id: string): void {
  const { flow } = controller;
  const indices = flow.edges.flatMap((edge, index) =>
    edge.source === id || edge.target === id ? index : []
  );
  const [present = -1] = controller.view.get().edges;
  const next = indices.find(index => index > present) ?? indices[0];
  const edge = next === undefined ? undefined : flow.edges[next];
  const { trans } = controller.services;
  if (edge && next !== undefined) {
    controller.select([], [next]);
    controller.say(
      trans('Connection from {source} to {target}', {
        source: `${edge.source}.${edge.sourcePort}`,
        target: `${edge.target}.${edge.targetPort}`
      })
    );
  } else {
    controller.say(trans('It has no connections.'));
  }
}

function onSurfaceKey(
  event: KeyboardEvent,
  { controller, menu, aim, lights }: Shared,
  rf: Flow,
  key: string | null
): boolean {
  if (event.key === 'Escape') {
    const { selection, edges } = controller.view.get();
    lights.set(null);
    aim.set(null);
    if (selection.size > 0 || edges.size > 0) {
      controller.select([]);
    } else {
      controller.surface?.focus();
    }
    return true;
  }
  if (key === null && event.key === 'ContextMenu') {
    menu.set({ x: 24, y: 24, about: 'surface' });
    return true;
  }
  if (
    key === null &&
    event.key === 'Enter' &&
    !event.shiftKey &&
    !event.altKey &&
    !event.ctrlKey &&
    !event.metaKey
  ) {
    const [first] = rf.getNodes().filter(node => node.type === 'card');
    if (first && event.target === event.currentTarget) {
      go(controller, first.id, false);
      return true;
    }
  }
  return false;
}

/**
 * A command is about what is selected: a focused node is selected first. One that cannot be done now
 * says why.
 */
function onCommand(
  event: KeyboardEvent,
  controller: Controller,
  list: readonly Command[],
  key: string | null
): boolean {
  if (MODIFIERS.has(event.key)) {
    return false;
  }
  if (key !== null && controller.view.get().edges.size === 0) {
    choose(controller, flowId(key));
  }
  const command = commandFor(list, event);
  if (!command) {
    return refuse(event, controller, list);
  }
  void command.run();
  if (command.id === 'delete' || command.id === 'cut') {
    controller.surface?.focus();
  }
  return true;
}

function refuse(event: KeyboardEvent, controller: Controller, list: readonly Command[]): boolean {
  const reason = refusalFor(list, event);
  if (reason && !event.repeat) {
    controller.services.notify(reason, 'info');
  }
  return reason !== '';
}
