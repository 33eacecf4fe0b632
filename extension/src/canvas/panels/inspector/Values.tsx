/** Inputs and outputs of a node, side by side where there is room; only what the kernel has. */
import { useState } from 'react';
import { openInNotebook } from '../../../core/commands/look';
import { pinOutput } from '../../../core/commands/edit';
import { pin, unpin } from '../../../core/edits/pins';
import type { Port } from '../../../core/catalog';
import type { OpenValue } from '../../../core/controller';
import type { Json } from '../../../core/flow';
import { family, inputsOf, outputsOf } from '../../../core/ports';
import type { Preview } from '../../../core/protocol';
import { attemptEdit } from '../../../core/attempt';
import { Icon } from '../../chrome/icons';
import { useFlow, useRequest, useStatus, useTrans } from '../../chrome/use';
import { useController, useNode, useReadOnly, useRuns, useSelect, useStore } from '../../hooks';
import { ErrorView, JsonTree, MimeOutput, Output, ValueViewer, trustedAt } from '../../outputs';
import { PinEditor } from './PinEditor';

type Kind = OpenValue['kind'];

export function Values({ id }: { readonly id: string }) {
  const controller = useController();
  const trans = useTrans();
  const flow = useFlow(controller);
  const catalog = useStore(controller.catalog);
  const status = useStatus(controller);
  const path = controller.path(id);
  const state = useNode(useRuns(controller), path);
  const opened = useSelect(controller.view, view => view.opened);
  const open = opened?.path === path ? opened : null;
  const moment = `${state.state} ${state.started_at} ${state.ended_at} ${state.stale}`;
  const answer = useRequest('ports', { path }, moment);
  if (open) {
    return (
      <div className="iai-pad">
        <button
          type="button"
          className="iai-button"
          onClick={() => controller.look({ opened: null })}
        >
          <Icon name="left" /> {trans('All values')}
        </button>
        <h3>
          <bdi>{open.port}</bdi>
        </h3>
        <ValueViewer controller={controller} path={path} kind={open.kind} port={open.port} />
      </div>
    );
  }
  const known = answer.state === 'done' ? answer.result : { inputs: {}, outputs: state.outputs };
  const column = (
    kind: Kind,
    previews: Readonly<Record<string, Preview>>,
    ports: readonly Port[]
  ) => (
    <Column
      {...{ id, kind, previews }}
      types={typesOf(previews, ports)}
      onOpen={port => controller.look({ opened: { path, kind, port } })}
    />
  );
  return (
    <div className="iai-pad">
      {state.error && <ErrorView error={state.error} services={controller.services} />}
      {status !== 'ready' && (
        <p className="iai-muted">{trans('Choose a kernel to look at values.')}</p>
      )}
      {answer.state === 'failed' && <p className="iai-muted">{answer.reason}</p>}
      <div className="iai-sides">
        {column('input', known.inputs, inputsOf(flow, id, catalog))}
        {column('output', known.outputs, outputsOf(flow, id, catalog))}
      </div>
      {state.displays.length > 0 && <h3>{trans('Shown while it ran')}</h3>}
      {state.displays.slice(-SHOWN).map((bundle, index) => (
        <MimeOutput
          key={index}
          services={controller.services}
          bundle={bundle}
          trusted={trustedAt(controller, path)}
        />
      ))}
    </div>
  );
}

/** Newest displays that are drawn. */
const SHOWN = 20;

/** The declared ports, and those that have a value all the same. */
function typesOf(
  previews: Readonly<Record<string, Preview>>,
  ports: readonly Port[]
): ReadonlyMap<string, string> {
  const made = Object.entries(previews).map(([name, { type }]) => [name, type] as const);
  const declared = ports.map(({ name, type }) => [name, type] as const);
  return new Map([...declared, ...made, ...declared]);
}

interface ColumnProps {
  readonly id: string;
  readonly kind: Kind;
  readonly previews: Readonly<Record<string, Preview>>;
  /** Declared types by port. */
  readonly types: ReadonlyMap<string, string>;
  readonly onOpen: (port: string) => void;
}

function Column({ id, kind, previews, types, onOpen }: ColumnProps) {
  const trans = useTrans();
  const title = kind === 'input' ? trans('Inputs') : trans('Outputs');
  return (
    <section className="iai-side" aria-label={title}>
      <h3>{title}</h3>
      {types.size === 0 && (
        <p className="iai-muted">
          {kind === 'input' ? trans('It takes none.') : trans('It gives none.')}
        </p>
      )}
      {[...types].map(([port, type]) => (
        <PortValue
          key={port}
          {...{ id, kind, port, type }}
          preview={previews[port]}
          onOpen={() => onOpen(port)}
        />
      ))}
    </section>
  );
}

interface PortProps {
  readonly id: string;
  readonly kind: Kind;
  readonly port: string;
  /** As declared; a value tells better. */
  readonly type: string;
  readonly preview: Preview | undefined;
  readonly onOpen: () => void;
}

function PortValue({ id, kind, port, type, preview, onOpen }: PortProps) {
  const controller = useController();
  const trans = useTrans();
  const { services } = controller;
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

interface ActionProps {
  readonly id: string;
  readonly port: string;
  /** Whether the kernel has a value. */
  readonly made: boolean;
  /** The pinned value; undefined: it is not pinned. */
  readonly pinned: Json | undefined;
}

function OutputActions({ id, port, made, pinned }: ActionProps) {
  const controller = useController();
  const trans = useTrans();
  const readOnly = useReadOnly(controller);
  const [editing, setEditing] = useState<Json | undefined>(undefined);
  const start = async (): Promise<void> => {
    const path = controller.path(id);
    const link = controller.link.get();
    const present = await (made && pinned === undefined && link
      ? controller.attempt(() => link.request('pin_value', { path, port }))
      : null);
    setEditing(pinned ?? present?.value ?? null);
  };
  if (editing !== undefined) {
    return (
      <PinEditor
        port={port}
        value={editing}
        onCancel={() => setEditing(undefined)}
        onSave={value => {
          attemptEdit(controller, trans('Pin outputs'), flow => pin(flow, id, port, value));
          setEditing(undefined);
        }}
      />
    );
  }
  return (
    <>
      {made && (
        <button
          type="button"
          className="iai-link"
          onClick={() => void openInNotebook(controller, id, port)}
        >
          {trans('Open in notebook')}
        </button>
      )}
      {made && pinned === undefined && !readOnly && (
        <button
          type="button"
          className="iai-link"
          onClick={() => void pinOutput(controller, id, port)}
        >
          {trans('Pin')}
        </button>
      )}
      {!readOnly && (
        <button type="button" className="iai-link" onClick={() => void start()}>
          {pinned !== undefined
            ? trans('Edit the pinned value')
            : made
              ? trans('Pin another value')
              : trans('Pin a value')}
        </button>
      )}
      {pinned !== undefined && !readOnly && (
        <button
          type="button"
          className="iai-link"
          onClick={() =>
            attemptEdit(controller, trans('Unpin outputs'), flow => unpin(flow, id, port))
          }
        >
          {trans('Unpin')}
        </button>
      )}
    </>
  );
}
