/** What a node shows on its face while it runs and afterwards. */
import { memo, useMemo } from 'react';
import { tail } from '../../core/bounds';
import type { Controller } from '../../core/controller';
import type { Hello } from '../../core/link';
import type { NodeState } from '../../core/protocol';
import { Store } from '../../core/store';
import { useStore } from '../hooks';
import { ErrorView } from './ErrorView';
import { LogView } from './LogView';
import { MimeOutput } from './MimeOutput';
import { Output } from './Output';
import { madeNow } from './trust';

interface Props {
  readonly controller: Controller;
  readonly state: NodeState;
  /** Opens the inspector on an output port. */
  readonly onOpen: (port: string) => void;
}

const NO_INFO = new Store<Hello | null>(null);
/** Lines of the log on the face of a node. */
const LINES = 6;
const CHARACTERS = 4000;

/** Whether a node has anything to show below its title. */
export function hasOutput(state: NodeState): boolean {
  const { error, log, displays, outputs } = state;
  return error !== null || log !== '' || displays.length > 0 || Object.keys(outputs).length > 0;
}

export const NodeOutput = memo(function NodeOutput({ controller, state, onOpen }: Props) {
  const { services } = controller;
  const info = useStore(useStore(controller.link)?.info ?? NO_INFO);
  const trusted = madeNow(info, state);
  const log = useMemo(() => tail(state.log, LINES, CHARACTERS), [state.log]);
  const shown = state.displays.at(-1);
  const ports = Object.entries(state.outputs);
  // What it said on the way matters less than what came of it.
  const saysMore = state.state !== 'completed' || (ports.length === 0 && !shown);
  return (
    <div className="iai-node-output nodrag" aria-busy={state.state === 'running'}>
      {state.error && <ErrorView error={state.error} services={services} brief />}
      {log && saysMore && <LogView text={log} label={services.trans('Log')} follow />}
      {shown && <MimeOutput services={services} bundle={shown} trusted={trusted} />}
      {!state.error &&
        ports.map(([port, preview]) => (
          <div key={port} className="iai-node-port">
            {ports.length > 1 && <bdi className="iai-port-name">{port}</bdi>}
            <Output
              preview={preview}
              services={services}
              label={services.trans('Output {port}', { port })}
              trusted={trusted}
              rows={4}
              columns={6}
              onOpen={() => onOpen(port)}
            />
          </div>
        ))}
    </div>
  );
});
