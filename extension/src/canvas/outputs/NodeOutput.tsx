/** What a node shows on its face while it runs and afterwards. */
import { memo, useMemo } from 'react';
import { shownPorts } from '../../core/agentTrace';
import { asksOf } from '../../core/asks';
import { tail } from '../../core/bounds';
import type { Controller } from '../../core/controller';
import type { Hello } from '../../core/link';
import type { NodeState } from '../../core/protocol';
import { Store } from '../../core/store';
import { Asks } from '../agent/Asks';
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
  /** Opens the inspector where a question is answered in full. */
  readonly onAsk: (from: Element) => void;
}

const NO_INFO = new Store<Hello | null>(null);
/** Lines of the log on the face of a node. */
const LINES = 6;
const CHARACTERS = 4000;

/** Whether a node has anything to show below its title. */
export function hasOutput(state: NodeState): boolean {
  const { error, log, displays, outputs } = state;
  const hasValue = displays.length > 0 || Object.keys(outputs).length > 0;
  return error !== null || log !== '' || hasValue || asksOf(state).length > 0;
}

/** Whether a node is under way: what it gives may still change. */
export function isLive({ state }: NodeState): boolean {
  return state === 'running' || state === 'waiting' || state === 'retrying';
}

export const NodeOutput = memo(function NodeOutput({ controller, state, onOpen, onAsk }: Props) {
  const { services } = controller;
  const info = useStore(useStore(controller.link)?.info ?? NO_INFO);
  const trusted = madeNow(info, state);
  const log = useMemo(() => tail(state.log, LINES, CHARACTERS), [state.log]);
  const shown = state.displays.at(-1);
  const ports = shownPorts(state.outputs, state.error !== null);
  const asks = useMemo(() => asksOf(state), [state]);
  // What it said on the way matters less than what came of it.
  const saysMore = state.state !== 'completed' || (ports.length === 0 && !shown);
  return (
    <div className="iai-node-output nodrag" aria-busy={state.state === 'running'}>
      {asks.length > 0 && <Asks asks={asks} onOpen={onAsk} />}
      {state.error && <ErrorView error={state.error} services={services} brief />}
      {log && saysMore && <LogView text={log} label={services.trans('Log')} follow />}
      {shown && <MimeOutput services={services} bundle={shown} trusted={trusted} />}
      {ports.map(
        port =>
          state.outputs[port] && (
            <div key={port} className="iai-node-port">
              {ports.length > 1 && <bdi className="iai-port-name">{port}</bdi>}
              <Output
                preview={state.outputs[port]}
                services={services}
                label={services.trans('Output {port}', { port })}
                trusted={trusted}
                rows={4}
                columns={6}
                live={isLive(state)}
                onStop={() => void controller.stop()}
                onOpen={() => onOpen(port)}
              />
            </div>
          )
      )}
    </div>
  );
});
