/** Pages of tables as the kernel sends them: an Arrow IPC stream, shown cell by cell as text. */
import { tableFromIPC, Type, type DataType } from '@uwdata/flechette';

export interface ArrowPage {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Cells as text; null is a missing value. */
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Longest text of one cell. */
const CELL = 2000;

/** Read an Arrow IPC stream. @throws Error when the bytes are none */
export function readTable(buffer: DataView): ArrowPage {
  const bytes = new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength);
  // A copy: Arrow reads numbers in place, which needs an aligned beginning.
  const table = tableFromIPC(bytes.slice(), { useBigInt: true, useDate: false });
  const fields = table.schema.fields;
  const columns = fields.map(({ name, type }) => ({ name, type: typeName(type) }));
  const read = fields.map(({ type }, index) => {
    const column = table.getChildAt(index);
    return (row: number): string | null => cellText(column.at(row), type);
  });
  const rows = Array.from({ length: table.numRows }, (_, row) => read.map(cell => cell(row)));
  return { columns, rows };
}

/** What people call an Arrow type: `int64`, `text`, `timestamp[us, UTC]`, `list<float64>`. */
export function typeName(type: DataType): string {
  switch (type.typeId) {
    case Type.Dictionary:
      return typeName(type.dictionary);
    case Type.Int:
      return `${type.signed ? '' : 'u'}int${type.bitWidth}`;
    case Type.Float:
      return ['float16', 'float32', 'float64'][type.precision] ?? 'float';
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Utf8View:
      return 'text';
    case Type.Bool:
      return 'boolean';
    case Type.Decimal:
      return `decimal(${type.precision}, ${type.scale})`;
    case Type.Timestamp:
      return type.timezone ? `timestamp (${type.timezone})` : 'timestamp';
    case Type.List:
    case Type.LargeList:
    case Type.ListView:
    case Type.LargeListView:
    case Type.FixedSizeList:
      return `list<${typeName((type.children[0] as { type: DataType }).type)}>`;
    default:
      return NAMES.get(type.typeId) ?? 'unknown';
  }
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [Type.NONE, 'null'],
  [Type.Null, 'null'],
  [Type.Binary, 'binary'],
  [Type.LargeBinary, 'binary'],
  [Type.BinaryView, 'binary'],
  [Type.FixedSizeBinary, 'binary'],
  [Type.Date, 'date'],
  [Type.Time, 'time'],
  [Type.Interval, 'interval'],
  [Type.Duration, 'duration'],
  [Type.Struct, 'struct'],
  [Type.Map, 'map'],
  [Type.Union, 'union'],
  [Type.RunEndEncoded, 'encoded']
]);

function cellText(value: unknown, type: DataType): string | null {
  if (value === null || value === undefined) {
    return null;
  }
  const whole = scalarText(value, type) ?? jsonText(value);
  return whole.length > CELL ? `${whole.slice(0, CELL)}…` : whole;
}

function scalarText(value: unknown, type: DataType): string | null {
  if (type.typeId === Type.Dictionary) {
    return scalarText(value, type.dictionary);
  }
  if (type.typeId === Type.Timestamp && typeof value === 'number') {
    return dateText(value, 23);
  }
  if (type.typeId === Type.Date && typeof value === 'number') {
    return dateText(value, 10);
  }
  if (value instanceof Uint8Array) {
    return `<${value.length} bytes>`;
  }
  return typeof value === 'object' ? null : String(value);
}

/** Milliseconds since the epoch as `2027-03-14 02:30:00`, up to `length` characters. */
function dateText(milliseconds: number, length: number): string {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) {
    return String(milliseconds);
  }
  const text = date.toISOString().replace('T', ' ').slice(0, length);
  return text.replace(/\.000$/, '');
}

function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint' || (typeof item === 'number' && !Number.isFinite(item))) {
      return String(item);
    }
    if (item instanceof Map) {
      return Object.fromEntries(item);
    }
    return ArrayBuffer.isView(item) ? Array.from(item as unknown as ArrayLike<unknown>) : item;
  });
}
