/** Copy and paste; the clipboard's text is a whole flow in the file format. */
import type { Flow } from '../flow';
import type { Point } from './nodes';

export interface Pasted {
  readonly flow: Flow;
  readonly ids: string[];
}
declare const TODO: never;
export const copyText = (flow: Flow, ids: Iterable<string>): string => (TODO, flow, ids) as never;
/** `at` is where the upper left corner goes; throws an `EditError` when the text holds no flow. */
export const pasteText = (flow: Flow, text: string, at: Point): Pasted =>
  (TODO, flow, text, at) as never;
export const duplicate = (flow: Flow, ids: Iterable<string>, offset?: Point): Pasted =>
  (TODO, flow, ids, offset) as never;
