/** How React components watch the stores of the core. */
import { createContext, useCallback, useContext, useSyncExternalStore } from 'react';
import type { Controller } from '../core/controller';
import { IDLE, type NodeState } from '../core/protocol';
import type { RunStore } from '../core/runs';
import type { Store } from '../core/store';

/** The present value of a store. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** A part of a store's value; `select` must give the same object while the part is unchanged. */
export function useSelect<T, Part>(store: Store<T>, select: (value: T) => Part): Part {
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}

/** What one node of a run is doing; `IDLE` while there is no kernel. */
export function useNode(runs: RunStore | null, path: string): NodeState {
  return useNodePart(runs, path, whole);
}

const whole = (state: NodeState): NodeState => state;

/** A part of it; what changes beside the part draws nothing. */
export function useNodePart<Part>(
  runs: RunStore | null,
  path: string,
  select: (state: NodeState) => Part
): Part {
  const subscribe = useCallback(
    (listener: () => void) => (runs ? runs.subscribe(path, listener) : () => undefined),
    [runs, path]
  );
  return useSyncExternalStore(subscribe, () => select(runs ? runs.node(path) : IDLE));
}

/** Whether nothing can be edited now. */
export function useReadOnly(controller: Controller): boolean {
  useStore(controller.document.state);
  useSelect(controller.view, view => view.compared);
  return controller.readOnly;
}

export const ControllerContext = createContext<Controller | null>(null);

/** The canvas that a component belongs to. */
export function useController(): Controller {
  const controller = useContext(ControllerContext);
  if (!controller) {
    throw new Error('This component stands outside of a canvas.');
  }
  return controller;
}

/** The runs of the canvas's kernel; null while there is none. */
export function useRuns(controller: Controller): RunStore | null {
  return useStore(controller.link)?.runs ?? null;
}

/** Whether the canvas stands in a notebook's output, with the page around it. */
export const InlineContext = createContext(false);
