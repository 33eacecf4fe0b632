/** A canvas without room shows one panel at a time, and at first the one that somebody works in. */
import { useEffect, type RefObject } from 'react';
import type { Controller, Panel } from '../../core/controller';
import { treeOf } from '../dom';

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
      if (entry && width > 0 && width <= NARROW && !kept) {
        kept = panels;
        controller.look({ panels: new Set(panelsInUse(entry.target, panels)) });
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

/** The panel that has the focus, if one has. */
function panelsInUse(app: Element, panels: ReadonlySet<Panel>): Panel[] {
  const { activeElement } = treeOf(app);
  const dock = activeElement && app.contains(activeElement) && activeElement.closest('.iai-dock');
  const panel = dock ? dock.getAttribute('data-panel') : null;
  return [...panels].filter(each => each === panel);
}
