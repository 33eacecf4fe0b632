/** What screen readers are told about the surface, and what an empty one says to everybody. */
import { useController } from '../hooks';

export function Hints({ id, empty }: { readonly id: string; readonly empty: boolean }) {
  const controller = useController();
  const { trans } = controller.services;
  return (
    <>
      <div className="iai-hidden" id={id}>
        {trans(
          'Press Enter or an arrow key to go to a node, arrow keys to go on, Enter to set it up, W to connect, slash to add a node, question mark for all commands.'
        )}
      </div>
      {empty && (
        <div className="iai-empty">
          <p className="iai-empty-title">{trans('Nothing here yet')}</p>
          <p>{trans('Double-click, or press / to add a node. Drag one from the palette.')}</p>
        </div>
      )}
    </>
  );
}
