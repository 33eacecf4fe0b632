/** The ports of a card, in rows: inputs on the left, outputs on the right. */
import { Handle, Position } from '@xyflow/react';
import { memo, useContext } from 'react';
import type { Port } from '../../core/catalog';
import type { Wire } from '../../core/controller';
import { ERROR } from '../../core/flow';
import { family } from '../../core/ports';
import type { Problem } from '../../core/protocol';
import { useController, useSelect } from '../hooks';
import { ProblemsContext, useShared } from './context';
import { rowMiddle } from './geometry';

export interface PortsProps {
  readonly node: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

export const Ports = memo(function Ports({ node, inputs, outputs }: PortsProps) {
  return (
    <>
      {inputs.map((port, row) => (
        <PortRow
          key={`in ${port.name}`}
          wire={{ node, port: port.name, side: 'input' }}
          port={port}
          row={row}
        />
      ))}
      {outputs.map((port, row) => (
        <PortRow
          key={`out ${port.name}`}
          wire={{ node, port: port.name, side: 'output' }}
          port={port}
          row={row}
        />
      ))}
    </>
  );
});

function PortRow({
  wire,
  port,
  row
}: {
  readonly wire: Wire;
  readonly port: Port;
  readonly row: number;
}) {
  const { services } = useController();
  const light = useLight(wire);
  const isInput = wire.side === 'input';
  const problems = usePortProblems(wire);
  const told = problems.map(({ code, message }) => `${code} ${message}`);
  const title = [`${port.name}: ${port.type}`, port.help, ...told].filter(Boolean).join('\n');
  const label = isInput
    ? services.trans('Input {name}, {type}', { name: port.name, type: port.type })
    : services.trans('Output {name}, {type}', { name: port.name, type: port.type });
  return (
    <>
      <Handle
        id={port.name}
        type={isInput ? 'target' : 'source'}
        position={isInput ? Position.Left : Position.Right}
        style={{ top: rowMiddle(row) }}
        className="iai-port"
        data-family={familyOf(port.type)}
        data-list={port.type.startsWith('list[') || undefined}
        data-light={light}
        data-problem={problems.length > 0 || undefined}
        title={title}
        role="img"
        aria-label={[label, ...told].join('. ')}
      />
      <span
        className="iai-port-label"
        data-side={wire.side}
        data-light={light}
        data-problem={problems.length > 0 || undefined}
        data-error={(!isInput && port.name === ERROR) || undefined}
        style={{ top: rowMiddle(row) }}
        title={title}
      >
        <bdi>{port.name}</bdi>
        {isInput && port.required && (
          <span className="iai-required" aria-hidden="true">
            *
          </span>
        )}
      </span>
    </>
  );
}

/** What is wrong at an input, such as a value that it must have and does not get. */
function usePortProblems({ node, port, side }: Wire): readonly Problem[] {
  const problems = useContext(ProblemsContext).get(node) ?? [];
  return side === 'input' ? problems.filter(({ field }) => field === port) : [];
}

/** The css family of a type, of a list that of its items; a type that nobody knows is drawn as any. */
export function familyOf(type: string): string {
  try {
    const item = /^list\[(.*)\]$/.exec(type)?.[1];
    return item === undefined ? family(type) : familyOf(item);
  } catch {
    return 'any';
  }
}

type Light = 'from' | 'aim' | 'ok' | 'no' | undefined;

/** How a port looks while a wire is drawn. */
function useLight(wire: Wire): Light {
  const shared = useShared();
  const aimed = useSelect(shared.aim, aim => aim !== null && sameWire(aim, wire));
  const light = useSelect(shared.lights, (lights): Light => {
    if (!lights) {
      return undefined;
    }
    if (sameWire(lights.from, wire)) {
      return 'from';
    }
    return lights.verdict(wire).ok ? 'ok' : 'no';
  });
  return aimed ? 'aim' : light;
}

export function sameWire(one: Wire, other: Wire): boolean {
  return one.node === other.node && one.port === other.port && one.side === other.side;
}
