/** Inputs and outputs of a node, side by side where there is room; only what the kernel has. */
import type { Port } from '../../../core/catalog';
import type { OpenValue } from '../../../core/controller';
import { inputsOf, outputsOf } from '../../../core/ports';
import type { Bundle, Preview } from '../../../core/protocol';
import { Icon } from '../../chrome/icons';
import { useFlow, useRequest, useStatus, useTrans } from '../../chrome/use';
import { useController, useNode, useRuns, useSelect, useStore } from '../../hooks';
import { ErrorView, MimeOutput, ValueViewer, trustedAt } from '../../outputs';
import { PortValue } from './PortValue';

export function Values({ id }: { readonly id: string }) {
  const controller = useController();
  const path = controller.path(id);
  const opened = useSelect(controller.view, view => view.opened);
  return (
    <div className="iai-pad">
      {opened?.path === path ? <WholeValue open={opened} /> : <AllValues id={id} path={path} />}
    </div>
  );
}

function WholeValue({ open }: { readonly open: OpenValue }) {
  const controller = useController();
  const trans = useTrans();
  return (
    <>
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
      <ValueViewer controller={controller} path={open.path} kind={open.kind} port={open.port} />
    </>
  );
}

interface AllProps {
  readonly id: string;
  readonly path: string;
}

function AllValues({ id, path }: AllProps) {
  const controller = useController();
  const trans = useTrans();
  const flow = useFlow(controller);
  const catalog = useStore(controller.catalog);
  const status = useStatus(controller);
  const state = useNode(useRuns(controller), path);
  const moment = `${state.state} ${state.started_at} ${state.ended_at} ${state.stale}`;
  const answer = useRequest('ports', { path }, moment);
  const known = answer.state === 'done' ? answer.result : { inputs: {}, outputs: state.outputs };
  return (
    <>
      {state.error && <ErrorView error={state.error} services={controller.services} />}
      {status !== 'ready' && (
        <p className="iai-muted">{trans('Choose a kernel to look at values.')}</p>
      )}
      {answer.state === 'failed' && <p className="iai-muted">{answer.reason}</p>}
      <div className="iai-sides">
        <Column
          {...{ id, path, kind: 'input', previews: known.inputs }}
          types={typesOf(known.inputs, inputsOf(flow, id, catalog))}
        />
        <Column
          {...{ id, path, kind: 'output', previews: known.outputs }}
          types={typesOf(known.outputs, outputsOf(flow, id, catalog))}
        />
      </div>
      <Displays path={path} displays={state.displays} />
    </>
  );
}

interface DisplaysProps {
  readonly path: string;
  readonly displays: readonly Bundle[];
}

function Displays({ path, displays }: DisplaysProps) {
  const controller = useController();
  const trans = useTrans();
  return (
    <>
      {displays.length > 0 && <h3>{trans('Shown while it ran')}</h3>}
      {displays.slice(-SHOWN).map((bundle, index) => (
        <MimeOutput
          key={index}
          services={controller.services}
          bundle={bundle}
          trusted={trustedAt(controller, path)}
        />
      ))}
    </>
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
  readonly path: string;
  readonly kind: OpenValue['kind'];
  readonly previews: Readonly<Record<string, Preview>>;
  /** Declared types by port. */
  readonly types: ReadonlyMap<string, string>;
}

function Column({ id, path, kind, previews, types }: ColumnProps) {
  const controller = useController();
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
          onOpen={() => controller.look({ opened: { path, kind, port } })}
        />
      ))}
    </section>
  );
}
