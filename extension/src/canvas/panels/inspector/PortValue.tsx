/** One input or output of a node: its value, and what can be done with it. */
import type { OpenValue } from '../../../core/controller';
import { family } from '../../../core/ports';
import type { Preview } from '../../../core/protocol';
import { useFlow, useTrans } from '../../chrome/use';
import { useController, useNodePart, useRuns } from '../../hooks';
import { JsonTree, Output, isLive, trustedAt } from '../../outputs';
import { OutputActions } from './OutputActions';

interface Props {
  readonly id: string;
  readonly kind: OpenValue['kind'];
  readonly port: string;
  /** As declared; a value tells better. */
  readonly type: string;
  readonly preview: Preview | undefined;
  readonly onOpen: () => void;
}

export function PortValue({ id, kind, port, type, preview, onOpen }: Props) {
  const controller = useController();
  const trans = useTrans();
  const { services } = controller;
  const live = useNodePart(useRuns(controller), controller.path(id), isLive);
  const pins = useFlow(controller).nodes[id]?.pin ?? {};
  const pinned = kind === 'output' && Object.hasOwn(pins, port);
  const label =
    kind === 'input' ? trans('Input {port}', { port }) : trans('Output {port}', { port });
  return (
    <div className="iai-port-value">
      <div className="iai-row">
        <span
          className="iai-port-dot"
          data-family={family(preview?.type ?? type)}
          aria-hidden="true"
        />
        <bdi className="iai-port-name">{port}</bdi>
        <span className="iai-quiet">{preview?.type ?? type}</span>
        {pinned && <span className="iai-badge">{trans('pinned')}</span>}
      </div>
      {preview && !pinned ? (
        <Output
          {...{ preview, services, label }}
          trusted={trustedAt(controller, controller.path(id))}
          rows={10}
          live={live}
        />
      ) : (
        !pinned && <p className="iai-muted">{trans('No value yet.')}</p>
      )}
      {pinned && <JsonTree text={JSON.stringify(pins[port])} services={services} label={label} />}
      <div className="iai-row">
        {preview && !pinned && (
          <button type="button" className="iai-link" onClick={onOpen}>
            {trans('Open')}
          </button>
        )}
        {kind === 'output' && (
          <OutputActions
            id={id}
            port={port}
            made={preview !== undefined}
            pinned={pinned ? pins[port] : undefined}
          />
        )}
      </div>
    </div>
  );
}
