/** Node types dragged from the palette: by the browser's own drag, or by JupyterLab's. */
import { useReactFlow } from '@xyflow/react';
import { useEffect, type RefObject } from 'react';
import { GRID } from './geometry';
import type { Shared } from './lights';
import { NODE_MIME, placeNode } from './place';
import { edgeIndex, type AnyNode, type Wire } from './scene';
import { square, wireUnder } from './splice';

/** JupyterLab's drag event: a mouse event with data and actions. */
interface LabDrag extends MouseEvent {
  readonly mimeData: { hasData(mime: string): boolean; getData(mime: string): unknown };
  readonly proposedAction: string;
  dropAction: string;
}

/** How near the pointer must be to a wire, in pixels of the flow, on both sides. */
const REACH = 32;
/** The pointer holds a node by a point inside its header. */
const GRIP = [GRID * 2, GRID] as const;

export function useDrops(shared: Shared, wrapper: RefObject<HTMLDivElement>): void {
  const rf = useReactFlow<AnyNode, Wire>();
  useEffect(() => {
    const element = wrapper.current;
    if (!element) {
      return undefined;
    }
    const { controller } = shared;
    const over = (event: MouseEvent): void => {
      event.preventDefault();
      event.stopPropagation();
      const at = rf.screenToFlowPosition(pointOf(event));
      shared.splice.set(wireUnder(element, square(at, REACH)));
    };
    const drop = (event: MouseEvent, type: string): void => {
      event.preventDefault();
      event.stopPropagation();
      const at = rf.screenToFlowPosition(pointOf(event));
      const key = shared.splice.get();
      shared.splice.set(null);
      placeNode(controller, type, [at.x - GRIP[0], at.y - GRIP[1]], {
        edge: key === null ? -1 : edgeIndex(controller.flow, key)
      });
    };
    const leave = (): void => shared.splice.set(null);
    const listeners: [string, (event: Event) => void][] = [
      ['dragover', native(over)],
      ['drop', native((event, data) => drop(event, data.getData(NODE_MIME)))],
      ['dragleave', leave],
      ['lm-dragenter', lab(over)],
      ['lm-dragover', lab(over)],
      ['lm-drop', lab(event => drop(event, String(event.mimeData.getData(NODE_MIME))))],
      ['lm-dragleave', leave]
    ];
    listeners.forEach(([name, listener]) => element.addEventListener(name, listener));
    return () => {
      listeners.forEach(([name, listener]) => element.removeEventListener(name, listener));
    };
  }, [shared, wrapper, rf]);
}

function pointOf({ clientX, clientY }: MouseEvent): { x: number; y: number } {
  return { x: clientX, y: clientY };
}

function native(act: (event: DragEvent, data: DataTransfer) => void): (event: Event) => void {
  return event => {
    const { dataTransfer } = event as DragEvent;
    if (dataTransfer?.types.includes(NODE_MIME)) {
      act(event as DragEvent, dataTransfer);
    }
  };
}

function lab(act: (event: LabDrag) => void): (event: Event) => void {
  return event => {
    const drag = event as LabDrag;
    if (drag.mimeData.hasData(NODE_MIME)) {
      drag.dropAction = drag.proposedAction;
      act(drag);
    }
  };
}
