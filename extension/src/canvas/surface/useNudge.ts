/** Moving what is selected by the keyboard. */
import { useCallback } from 'react';
import type { Controller } from '../../core/controller';

/** The steps undo together. */
export function useNudge(controller: Controller) {
  return useCallback(
    ([dx, dy]: readonly [number, number]): void => {
      const { selection } = controller.view.get();
      const { trans } = controller.services;
      controller.edit(
        trans('Move'),
        flow => {
          const layout = { ...flow.layout };
          for (const id of Object.keys(flow.nodes).filter(node => selection.has(node))) {
            const [x, y] = layout[id] ?? [0, 0];
            layout[id] = [x + dx, y + dy];
          }
          const notes = flow.notes.map(note =>
            selection.has(note.id) ? { ...note, x: note.x + dx, y: note.y + dy } : note
          );
          return { ...flow, layout, notes };
        },
        'nudge'
      );
    },
    [controller]
  );
}
