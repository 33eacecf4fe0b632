/** JSON that keeps what JavaScript loses: how numbers are spelled (`1.0`) and the order of keys. */
import type { Json } from './flow';

/** Read JSON within the limits of a flow file. @throws FlowFileError */
export function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}

/** Write JSON on one line, as the flow file has it. */
export function jsonLine(value: Json): string {
  return JSON.stringify(value);
}
