/** A canvas without room shows one panel at a time, and none at first. */
import { useEffect, type RefObject } from 'react';
import type { Controller, Panel } from '../../core/controller';

/** Width in pixels up to which there is room for one panel; up to 600 it lies over the surface. */
const NARROW = 860;

export function useNarrow(element: RefObject<HTMLElement>, controller: Controller): void {
  useEffect(() => {
    let kept: ReadonlySet<Panel> | null = null;
    const keepLast = () => {
      const { panels } = controller.view.get();
      if (kept && panels.size > 1) {
        controller.look({ panels: new Set([...panels].slice(-1)) });
      }
    };
    const resize = new ResizeObserver(([entry]) => {
      const width = entry?.contentRect.width ?? 0;
      const { panels } = controller.view.get();
      if (width > 0 && width <= NARROW && !kept) {
        kept = panels;
        controller.look({ panels: new Set() });
      } else if (width > NARROW && kept) {
        const before = kept;
        kept = null;
        controller.look({ panels: new Set([...before, ...panels]) });
      }
    });
    if (element.current) {
      resize.observe(element.current);
    }
    const forget = controller.view.subscribe(keepLast);
    return () => {
      resize.disconnect();
      forget();
    };
  }, [element, controller]);
}
