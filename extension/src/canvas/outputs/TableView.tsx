/** Rows of a table with names and types of its columns; cells are text. */
import { memo, type ReactNode } from 'react';
import { shorten, visible } from '../../core/text';

interface Props {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** For screen readers. */
  readonly label: string;
  /** Number of the first row, from 0; null: rows are not numbered. */
  readonly offset?: number | null;
  /** Columns that are shown; further ones are counted. */
  readonly width?: number;
  readonly children?: ReactNode;
}

const CELL = 500;
const WIDTH = 200;
const NUMBER = /^(u?int|float|decimal|number)/;

export const TableView = memo(function TableView(props: Props) {
  const { columns, rows, label, offset = null, width = WIDTH, children } = props;
  const shown = columns.slice(0, width);
  const more = columns.length - shown.length;
  return (
    <div className="iai-table nowheel" role="region" aria-label={label} tabIndex={0}>
      <table>
        {children}
        <thead>
          <tr>
            {offset !== null && <th aria-label="#" />}
            {shown.map((column, index) => (
              <th key={index} scope="col">
                <bdi>{visible(shorten(column.name, 100))}</bdi>
                <small>{column.type}</small>
              </th>
            ))}
            {more > 0 && <th>+{more}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {offset !== null && <th scope="row">{offset + at + 1}</th>}
              {shown.map((column, index) => (
                <Cell key={index} value={row[index] ?? null} number={NUMBER.test(column.type)} />
              ))}
              {more > 0 && <td>…</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
});

function Cell({ value, number }: { readonly value: string | null; readonly number: boolean }) {
  const classes = value === null ? 'iai-missing' : number ? 'iai-number' : undefined;
  return (
    <td className={classes}>
      {value === null ? 'null' : <bdi>{visible(shorten(value, CELL))}</bdi>}
    </td>
  );
}
