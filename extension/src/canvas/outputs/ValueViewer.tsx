/** The whole value of a port, fetched from the kernel page by page. */
import { useEffect, useState } from 'react';
import { readTrace } from '../../core/agentTrace';
import { readTable, type ArrowPage } from '../../core/arrow';
import type { Controller } from '../../core/controller';
import type { ValueView } from '../../core/protocol';
import type { Services } from '../../core/services';
import { AgentView } from '../agent/AgentView';
import { useNode, useRuns } from '../hooks';
import { ImageView } from './ImageView';
import { JsonTree } from './JsonTree';
import { LogView } from './LogView';
import { MimeOutput } from './MimeOutput';
import { Pager } from './Pager';
import { TableView } from './TableView';
import { trustedAt } from './trust';

interface Props {
  readonly controller: Controller;
  /** Path of the node: `each/clean`. */
  readonly path: string;
  readonly kind: 'input' | 'output';
  readonly port: string;
}

/** Rows of a table on one page. */
export const ROWS = 100;
/** Characters of a text on one page. */
export const CHARACTERS = 20_000;

type Loaded =
  | { readonly state: 'loading' }
  | { readonly state: 'failed'; readonly reason: string }
  | {
      readonly state: 'shown';
      readonly view: ValueView;
      readonly page: ArrowPage | null;
      readonly buffer: DataView | null;
    };

/** A new value starts again at its first page. */
export function ValueViewer(props: Props) {
  const { path, kind, port, controller } = props;
  const { ended_at: ended } = useNode(useRuns(controller), path);
  return <Pages key={[path, kind, port, ended].join(' ')} {...props} />;
}

function Pages({ controller, path, kind, port }: Props) {
  const [offset, setOffset] = useState(0);
  const [loaded, setLoaded] = useState<Loaded>({ state: 'loading' });
  const [size, setSize] = useState(CHARACTERS);
  useEffect(() => {
    let current = true;
    const show = (next: Loaded): void => {
      if (current) {
        setLoaded(next);
      }
    };
    void load(controller, { path, kind, port, offset, limit: size }).then(show);
    return () => {
      current = false;
    };
  }, [controller, path, kind, port, offset, size]);
  const { services } = controller;
  const label =
    kind === 'input'
      ? services.trans('Input {port}', { port })
      : services.trans('Output {port}', { port });
  if (loaded.state === 'loading') {
    return <p className="iai-muted">{services.trans('Loading…')}</p>;
  }
  if (loaded.state === 'failed') {
    return <p className="iai-muted">{loaded.reason}</p>;
  }
  return (
    <div className="iai-value">
      <View {...loaded} services={services} label={label} trusted={trustedAt(controller, path)} />
      <Foot {...loaded} services={services} onOffset={setOffset} onSize={setSize} />
    </div>
  );
}

interface Asked {
  readonly path: string;
  readonly kind: 'input' | 'output';
  readonly port: string;
  readonly offset: number;
  readonly limit: number;
}

/** A table is asked for by rows, a text by characters: which it is shows in the first answer. */
async function load(controller: Controller, asked: Asked): Promise<Loaded> {
  const { services } = controller;
  const link = controller.link.get();
  if (!link) {
    return { state: 'failed', reason: services.trans('Choose a kernel to look at values.') };
  }
  try {
    const rows = await link.requestBinary('value', { ...asked, limit: ROWS });
    const long = rows.result.kind === 'text' || rows.result.kind === 'json';
    const { result, buffers } = long ? await link.requestBinary('value', asked) : rows;
    const buffer = buffers[0] ?? null;
    const page = result.kind === 'table' && buffer ? readTable(buffer) : null;
    return { state: 'shown', view: result, page, buffer };
  } catch (error) {
    return { state: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

interface ViewProps {
  readonly view: ValueView;
  readonly page: ArrowPage | null;
  readonly buffer: DataView | null;
  readonly services: Services;
  readonly label: string;
  readonly trusted: boolean;
}

function View({ view, page, buffer, services, label, trusted }: ViewProps) {
  switch (view.kind) {
    case 'table':
      return page ? (
        <TableView columns={page.columns} rows={page.rows} offset={view.offset} label={label} />
      ) : null;
    case 'text':
      return <LogView text={view.text} label={label} />;
    case 'json':
      return readTrace(view.text) ? (
        <AgentView text={view.text} services={services} label={label} whole />
      ) : (
        <JsonTree text={view.text} services={services} label={label} open={2} />
      );
    case 'image':
      return buffer ? (
        <ImageView type={view.media_type} bytes={buffer} label={label} services={services} />
      ) : null;
    case 'bundle':
      return <MimeOutput services={services} bundle={view.bundle} trusted={trusted} />;
    case 'object':
      return <LogView text={view.text} label={label} />;
  }
}

interface FootProps {
  readonly view: ValueView;
  readonly services: Services;
  readonly onOffset: (offset: number) => void;
  readonly onSize: (characters: number) => void;
}

function Foot({ view, services, onOffset, onSize }: FootProps) {
  if (view.kind === 'table') {
    const { offset, count, total } = view;
    return (
      <Pager {...{ offset, count, total, services }} page={ROWS} unit="rows" onOffset={onOffset} />
    );
  }
  if (view.kind === 'text' && view.size > view.text.length) {
    const { offset, size, text } = view;
    return (
      <Pager
        {...{ offset, services, onOffset }}
        count={text.length}
        total={size}
        page={CHARACTERS}
        unit="characters"
      />
    );
  }
  if (view.kind === 'json' && view.cut) {
    return (
      <button type="button" className="iai-link" onClick={() => onSize(view.text.length * 10)}>
        {services.trans('Show more')}
      </button>
    );
  }
  return null;
}
