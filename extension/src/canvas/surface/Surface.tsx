/** The graph on its surface: nodes, wires, groups and notes, with mouse and keyboard. */
import type { Controller } from '../../core/controller';

export function Surface({ controller }: { controller: Controller }) {
  return <div className="iai-surface" aria-readonly={controller.readOnly} />;
}
