/** The short form of one output value. */
import { traceText } from '../../core/agentTrace';
import type { Preview } from '../../core/protocol';
import type { Services } from '../../core/services';
import { byteSize } from '../../core/text';
import { AgentView } from '../agent/AgentView';
import { JsonTree } from './JsonTree';
import { LogView } from './LogView';
import { MimeOutput } from './MimeOutput';
import { TableView } from './TableView';

interface Props {
  readonly preview: Preview;
  readonly services: Services;
  readonly label: string;
  /** Whether this kernel made it now. */
  readonly trusted: boolean;
  /** Opens the whole value; it is offered when this is only a part. */
  readonly onOpen?: () => void;
  /** Rows and columns of a table that are shown. */
  readonly rows?: number;
  readonly columns?: number;
  /** Whether its node is under way. */
  readonly live?: boolean;
  /** Ends the run of what is under way. */
  readonly onStop?: () => void;
}

/** Characters that a short form shows, whoever made it. */
const LONGEST = 64 * 1024;

export function Output(props: Props) {
  const cut = cutText(props);
  return (
    <div className="iai-output">
      <Value {...props} />
      {cut && (
        <div className="iai-output-foot">
          <span>{cut}</span>
          {props.onOpen && (
            <button type="button" className="iai-link" onClick={props.onOpen}>
              {props.services.trans('Open')}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function Value(props: Props) {
  const { preview, services, label, trusted, rows = 5, columns = 8 } = props;
  const trace = traceText(preview);
  if (trace !== null) {
    const { live, onStop } = props;
    return <AgentView text={trace} {...{ services, label, live, onStop }} />;
  }
  switch (preview.kind) {
    case 'text':
      return <LogView text={preview.text.slice(0, LONGEST)} label={label} />;
    case 'json':
      return <JsonTree text={preview.text.slice(0, LONGEST)} services={services} label={label} />;
    case 'table':
      return (
        <TableView
          columns={preview.columns}
          rows={preview.rows.slice(0, rows)}
          label={label}
          width={columns}
        />
      );
    case 'bundle':
      return <MimeOutput services={services} bundle={preview.bundle} trusted={trusted} />;
    case 'object':
      return preview.text ? <LogView text={preview.text.slice(0, LONGEST)} label={label} /> : null;
  }
}

/** What is not shown here; "": all of it is. */
function cutText({ preview, services, rows = 5 }: Props): string {
  switch (preview.kind) {
    case 'text':
      return preview.size > Math.min(preview.text.length, LONGEST)
        ? services.trans('Beginning of {size}', { size: byteSize(preview.size) })
        : '';
    case 'json':
      return preview.cut ? services.trans('Beginning only') : '';
    case 'table':
      return tableText(services, preview.total, Math.min(rows, preview.rows.length));
    case 'object':
      return preview.size
        ? services.trans('Too big to show here ({size})', { size: byteSize(preview.size) })
        : '';
    case 'bundle':
      return '';
  }
}

function tableText(services: Services, total: number | null, shown: number): string {
  if (total === null) {
    return services.trans('First {shown} rows; the number of rows is not known', { shown });
  }
  return total > shown
    ? services.trans('{shown} of {total} rows', { shown, total: count(total, services.language) })
    : '';
}

/** A whole number as the reader's language writes it: `336,776`. */
export function count(value: number, language: string): string {
  return new Intl.NumberFormat(language).format(value);
}
