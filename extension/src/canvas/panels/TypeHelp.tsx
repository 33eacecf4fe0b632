/** What a node type does, takes and gives. */
import type { NodeType, Port } from '../../core/catalog';
import { family } from '../../core/ports';
import { IconButton } from '../chrome/Buttons';
import { useTrans } from '../chrome/use';
import { useController } from '../hooks';
import { MimeOutput } from '../outputs';

interface Props {
  readonly type: NodeType;
  readonly onClose: () => void;
}

export function TypeHelp({ type, onClose }: Props) {
  const trans = useTrans();
  return (
    <aside className="iai-type-help" aria-label={trans('Help for {node}', { node: type.title })}>
      <header className="iai-row">
        <h3>{type.title || type.type}</h3>
        <IconButton icon="close" label={trans('Close')} onClick={onClose} />
      </header>
      <HelpText type={type} />
    </aside>
  );
}

export function HelpText({ type }: { readonly type: NodeType }) {
  const trans = useTrans();
  const { services } = useController();
  const text = type.help || type.summary;
  return (
    <div className="iai-help">
      <code>{type.type}</code>
      {text && (
        <MimeOutput
          services={services}
          bundle={{ data: { 'text/markdown': text, 'text/plain': text } }}
          trusted={false}
        />
      )}
      <PortList title={trans('Inputs')} ports={type.inputs} asked />
      <PortList title={trans('Outputs')} ports={type.outputs} />
      {type.free_inputs && (
        <p className="iai-muted">
          {trans('Takes further inputs of type {type} under any name.', { type: type.free_inputs })}
        </p>
      )}
    </div>
  );
}

interface PortListProps {
  readonly title: string;
  readonly ports: readonly Port[];
  /** Whether it says which ones must have a value. */
  readonly asked?: boolean;
}

function PortList({ title, ports, asked = false }: PortListProps) {
  const trans = useTrans();
  if (ports.length === 0) {
    return null;
  }
  return (
    <>
      <h4>{title}</h4>
      <ul className="iai-port-list">
        {ports.map(port => (
          <li key={port.name}>
            <span className="iai-port-dot" data-family={family(port.type)} aria-hidden="true" />
            <bdi>{port.name}</bdi> <span className="iai-quiet">{port.type}</span>
            {asked && port.required && <span className="iai-quiet"> · {trans('required')}</span>}
            {port.help && <p className="iai-muted">{port.help}</p>}
          </li>
        ))}
      </ul>
    </>
  );
}
