/** Flow files: text to flow and back, byte for byte as the Python side writes them. */
import type { Edge, Flow, Json, JsonObject } from './flow';
import { parseJson } from './json';

/** A flow file that cannot be read: one sentence, the place, and what to do. */
export class FlowFileError extends Error {
  constructor(
    message: string,
    readonly where = '',
    readonly remedy = ''
  ) {
    super(message);
    this.name = 'FlowFileError';
  }

  /** The whole sentence: what - where - what to do. */
  get sentence(): string {
    return [this.message, this.where, this.remedy].filter(Boolean).join(' - ');
  }
}

/** Read a flow file's text. @throws FlowFileError */
export function parseFlow(text: string): Flow {
  return flowFromData(parseJson(text));
}

/** The text of the flow's file. @throws FlowFileError when it could not be read back. */
export function dumpFlow(flow: Flow): string {
  return JSON.stringify(flowData(flow), null, 2) + '\n';
}

/** The flow as JSON data in the order of the file, defaults left out. */
export function flowData(flow: Flow): JsonObject {
  return { format: 'iaiflow/1', ...flow, edges: flow.edges.map(edgeText) } as unknown as JsonObject;
}

/** Make a flow from JSON data; `nested`: the body of a node, which needs no `format`. @throws FlowFileError */
export function flowFromData(data: Json, nested = false): Flow {
  void nested;
  const flow = data as unknown as Flow & { edges: readonly string[] };
  return { ...flow, edges: flow.edges.map(text => parseEdge(text)) };
}

/** `a.out -> b.in` */
export function edgeText(edge: Edge): string {
  return `${edge.source}.${edge.sourcePort} -> ${edge.target}.${edge.targetPort}`;
}

/** Read `a.out -> b.in`; `place` is named in the error. @throws FlowFileError */
export function parseEdge(text: string, place = ''): Edge {
  const match = /^\s*([^\s.]+)\.([^\s.]+)\s*->\s*([^\s.]+)\.([^\s.]+)\s*$/.exec(text);
  if (!match) {
    throw new FlowFileError('The edge cannot be read.', place);
  }
  const [, source, sourcePort, target, targetPort] = match as unknown as string[];
  return { source, sourcePort, target, targetPort } as Edge;
}
