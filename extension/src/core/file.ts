/** Flow files: text to flow and back, byte for byte as `iaiflow_lab.model.file` writes them. */
import { FORMAT, type Edge, type Flow, type FlowNode, type Json, type JsonObject } from './flow';
import { groupsFromData, markData, notesFromData } from './marks';
import {
  carrySpelling,
  characters,
  entryText,
  FlowFileError,
  isContainer,
  isWhole,
  keysOf,
  kind,
  leavesOf,
  objectOf,
  parseJson
} from './json';
import { didYouMean, isName, nodeIdFault, quoted, shorten } from './names';

export { FlowFileError };

/** Largest flow file, in bytes. */
export const MAX_BYTES = 5_000_000;
export const MAX_NODES = 10_000;
export const MAX_EDGES = 50_000;

/** Keys of a flow, in the order in which they are written. */
const FLOW_KEYS = [
  '$schema',
  'format',
  'name',
  'parameters',
  'nodes',
  'edges',
  'outputs',
  'layout',
  'notes',
  'groups'
];
/** Keys of a node, in the order in which they are written. */
const NODE_KEYS = [
  'type',
  'version',
  'title',
  'config',
  'retry',
  'timeout',
  'cache',
  'on_error',
  'join',
  'skip_if',
  'concurrency',
  'pin'
];
const RETRY_KEYS = ['attempts', 'backoff', 'initial', 'max', 'jitter', 'on'];
/** What is meant when a key is absent, and is therefore not written. */
const NODE_DEFAULTS: JsonObject = {
  version: 1,
  title: '',
  timeout: null,
  cache: 'auto',
  on_error: 'fail',
  join: 'all',
  skip_if: '',
  concurrency: null,
  pin: null
};
const RETRY_DEFAULTS: JsonObject = {
  attempts: 1,
  backoff: 'exponential',
  initial: 1,
  max: 60,
  jitter: 0
};
const ON_ERROR = ['fail', 'continue', 'port'];
const JOIN = ['all', 'any', 'all_done'];
const BACKOFF = ['constant', 'exponential', 'random'];

/** Longest line into which a value is put, in characters. */
const WIDTH = 120;
/** Blocks of the file that have one entry a line, so that a change is a change of one line. */
const BLOCKS = new Set(['nodes', 'edges', 'layout']);
const EDGE = /^\s*([^\s.]+)\.([^\s.]+)\s*->\s*([^\s.]+)\.([^\s.]+)\s*$/;

/** Read a flow file's text. @throws FlowFileError */
export function parseFlow(text: string): Flow {
  return flowFromData(parseJson(decoded(text)));
}

function decoded(source: string): string {
  if (source.length > MAX_BYTES) {
    throw tooLarge(source.length);
  }
  const text = source.replace(/^\ufeff/, '');
  if (!text.trim()) {
    throw new FlowFileError('The file is empty.', '', 'Restore it, or write a flow into it.');
  }
  return text;
}

function tooLarge(size: number): FlowFileError {
  return new FlowFileError(
    `Flow files may be ${MAX_BYTES / 1e6} MB at most; this is ${(size / 1e6).toFixed(1)} MB.`,
    '',
    'Keep data in files of its own and read them with a node.'
  );
}

/**
 * The text of the flow's file: stable, with one line for each short node.
 *
 * @throws FlowFileError The flow could not be read back from its file.
 */
export function dumpFlow(flow: Flow): string {
  const data = flowData(flow);
  flowFromData(data);
  const text = entry([data], '0', 0, []) + '\n';
  const size = text.length * 3 > MAX_BYTES ? new TextEncoder().encode(text).length : 0;
  if (size > MAX_BYTES) {
    throw tooLarge(size);
  }
  return text;
}

const datas = new WeakMap<Flow, JsonObject>();
const flows = new WeakMap<object, Flow>();

/** The flow as JSON data in the order of the file, defaults left out. */
export function flowData(flow: Flow): JsonObject {
  const known = datas.get(flow);
  if (known) {
    return known;
  }
  const data: Record<string, Json | undefined> = {
    $schema: flow.$schema,
    format: FORMAT,
    name: flow.name,
    parameters: flow.parameters,
    nodes: Object.fromEntries(Object.entries(flow.nodes).map(([id, node]) => [id, nodeData(node)])),
    edges: edgeTexts(flow.edges),
    outputs: flow.outputs,
    layout: flow.layout,
    notes: flow.notes.map(markData),
    groups: flow.groups.map(markData)
  };
  const kept = new Set(['format', 'nodes', 'outputs']);
  const written = FLOW_KEYS.filter(
    key => data[key] !== undefined && (kept.has(key) || !isEmpty(data[key]))
  );
  const made = Object.fromEntries(written.map(key => [key, data[key]])) as JsonObject;
  datas.set(flow, made);
  return made;
}

function isEmpty(value: Json | undefined): boolean {
  if (typeof value === 'object' && value !== null) {
    return Object.values(value).every(item => item === undefined);
  }
  return !value;
}

const nodeDatas = new WeakMap<FlowNode, JsonObject>();

/** One node as JSON data, defaults left out. */
export function nodeData(node: FlowNode): JsonObject {
  const known = nodeDatas.get(node);
  if (known) {
    return known;
  }
  const data = changed(node as unknown as JsonObject, NODE_DEFAULTS, NODE_KEYS, key => {
    const value = node[key as keyof FlowNode] as Json | undefined;
    if (key === 'retry' && value) {
      return changed(value as JsonObject, RETRY_DEFAULTS, RETRY_KEYS);
    }
    return value;
  });
  nodeDatas.set(node, data);
  return data;
}

/** The entries that are not the default; the object itself when nothing has to be left out. */
function changed(
  object: JsonObject,
  defaults: JsonObject,
  keys: readonly string[],
  get: (key: string) => Json | undefined = key => object[key]
): JsonObject {
  const droppable = new Set(['config', 'retry', 'on']);
  const made: Record<string, Json> = {};
  for (const key of keys) {
    const value = get(key);
    if (value !== undefined && value !== defaults[key] && !(droppable.has(key) && isEmpty(value))) {
      made[key] = value;
    }
  }
  const own = keysOf(object);
  const written = Object.keys(made);
  const same = own.length === written.length && own.every((key, i) => key === written[i]);
  if (same && written.every(key => made[key] === object[key])) {
    return object;
  }
  carrySpelling(object, made);
  return made;
}

/**
 * Make a flow from JSON data; the same data give the same flow.
 *
 * `nested`: it is the body of a node, which needs no `format`.
 *
 * @throws FlowFileError The form is wrong; `where` is the place, such as `nodes.clean.retry`.
 */
export function flowFromData(data: Json, nested = false): Flow {
  if (!isObject(data)) {
    throw new FlowFileError(`A flow must be an object, found ${kind(data)}.`);
  }
  checkFormat(data, nested);
  const known = flows.get(data);
  if (known) {
    return known;
  }
  checkKeys(data, FLOW_KEYS, '');
  const flow: Flow = {
    name: textAt(data, 'name', ''),
    parameters: objectsAt(data, 'parameters'),
    nodes: nodesAt(data),
    edges: edgesAt(data),
    ...outputsAt(data),
    layout: layoutAt(data),
    notes: marksAt(data, 'notes', notesFromData),
    groups: marksAt(data, 'groups', groupsFromData),
    ...(textAt(data, '$schema', '') ? { $schema: data.$schema as string } : {})
  };
  flows.set(data, flow);
  return flow;
}

function checkFormat(data: JsonObject, nested: boolean): void {
  const written = data.format === undefined && nested ? FORMAT : data.format;
  const match = typeof written === 'string' ? /^iaiflow\/(\d{1,9})$/.exec(written) : null;
  if (!match) {
    throw new FlowFileError(
      "This isn't a flow: 'format' is missing or unknown.",
      'format',
      `The first line of a flow is "format": "${FORMAT}".`
    );
  }
  if (Number(match[1]) > Number(FORMAT.split('/')[1])) {
    throw new FlowFileError(
      `Made by a newer IAI Flow Lab (format ${String(written)}; this one reads up to ${FORMAT}).`,
      'format',
      'Upgrade with `pip install -U iaiflow-lab`.'
    );
  }
}

function checkKeys(data: JsonObject, known: readonly string[], place: string): void {
  const unknown = keysOf(data).find(key => !known.includes(key));
  if (unknown !== undefined) {
    const hint = didYouMean(unknown, known) || `Known keys: ${known.join(', ')}.`;
    throw new FlowFileError(`Unknown key ${quoted(shorten(unknown))}.`, place, hint);
  }
}

function nodesAt(data: JsonObject): { readonly [id: string]: FlowNode } {
  const nodes = objectsAt(data, 'nodes');
  const ids = Object.keys(nodes);
  checkCount(ids.length, MAX_NODES, 'nodes');
  for (const id of ids) {
    const fault = nodeIdFault(id);
    if (fault) {
      throw new FlowFileError(fault, 'nodes');
    }
  }
  return Object.fromEntries(
    ids.map(id => [id, nodeFromData(nodes[id] as JsonObject, `nodes.${id}`)])
  );
}

const checked = new WeakMap<object, FlowNode>();

/** Make one node from JSON data; `place` is named in errors. @throws FlowFileError */
export function nodeFromData(data: JsonObject, place: string): FlowNode {
  const known = checked.get(data);
  if (known) {
    return known;
  }
  checkKeys(data, NODE_KEYS, place);
  if (isFalsy(data.type)) {
    throw new FlowFileError(
      "The node has no 'type'.",
      place,
      'Name a node type; `iaiflow nodes ls` lists them.'
    );
  }
  textAt(data, 'type', place);
  objectAt(data, 'config', place);
  wholeAt(data, 'version', place, false);
  textAt(data, 'title', place);
  checkRetry(objectAt(data, 'retry', place), `${place}.retry`);
  numberAt(data, 'timeout', place, true);
  checkCache(data, place);
  choiceAt(data, 'on_error', place, ON_ERROR);
  choiceAt(data, 'join', place, JOIN);
  textAt(data, 'skip_if', place);
  wholeAt(data, 'concurrency', place, true);
  if (data.pin !== null) {
    objectAt(data, 'pin', place);
  }
  const node = withoutNulls(data) as unknown as FlowNode;
  checked.set(data, node);
  return node;
}

function withoutNulls(data: JsonObject): JsonObject {
  return Object.values(data).includes(null)
    ? objectOf(leavesOf(data).filter(([, { value }]) => value !== null))
    : data;
}

function checkRetry(data: JsonObject, place: string): void {
  checkKeys(data, RETRY_KEYS, place);
  wholeAt(data, 'attempts', place, false);
  choiceAt(data, 'backoff', place, BACKOFF);
  numberAt(data, 'initial', place, false);
  numberAt(data, 'max', place, false);
  numberAt(data, 'jitter', place, false);
  const on = data.on ?? (data.on === null ? null : []);
  if (!Array.isArray(on) || !on.every(item => typeof item === 'string')) {
    throw wrong(`${place}.on`, 'a list of texts', on);
  }
}

function checkCache({ cache }: JsonObject, place: string): void {
  if (cache !== undefined && cache !== 'auto' && cache !== 'off' && typeof cache !== 'number') {
    throw wrong(`${place}.cache`, "'auto', 'off' or a number of seconds", cache);
  }
}

const texts = new WeakMap<readonly Edge[], readonly string[]>();
const parsedEdges = new WeakMap<object, readonly Edge[]>();

function edgeTexts(edges: readonly Edge[]): readonly string[] {
  const known = texts.get(edges) ?? edges.map(edgeText);
  texts.set(edges, known);
  return known;
}

function edgesAt(data: JsonObject): readonly Edge[] {
  const edges = data.edges === undefined ? [] : data.edges;
  if (!Array.isArray(edges)) {
    throw wrong('edges', 'a list', edges);
  }
  const known = parsedEdges.get(edges);
  if (known) {
    return known;
  }
  checkCount(edges.length, MAX_EDGES, 'edges');
  const made = edges.map((text: Json, index) => {
    if (typeof text !== 'string') {
      throw wrong(`edges[${index}]`, "a text such as 'a.out -> b.text'", text);
    }
    return parseEdge(text, `edges[${index}]`);
  });
  parsedEdges.set(edges, made);
  return made;
}

/** `a.out -> b.in` */
export function edgeText(edge: Edge): string {
  return `${edge.source}.${edge.sourcePort} -> ${edge.target}.${edge.targetPort}`;
}

/** Read `a.out -> b.in`; `place` is named in the error. @throws FlowFileError */
export function parseEdge(text: string, place = ''): Edge {
  const [, source = '', sourcePort = '', target = '', targetPort = ''] = EDGE.exec(text) ?? [];
  if (!source) {
    throw new FlowFileError(
      `Edge ${quoted(shorten(text))} can't be read.`,
      place,
      "Write 'node.output -> node.input'."
    );
  }
  for (const port of [sourcePort, targetPort]) {
    if (!isName(port)) {
      throw new FlowFileError(`${quoted(shorten(port))} is no port name.`, place);
    }
  }
  return { source, sourcePort, target, targetPort };
}

function outputsAt(data: JsonObject): Pick<Flow, 'outputs'> {
  if (data.outputs === undefined || data.outputs === null) {
    return {};
  }
  const outputs = objectAt(data, 'outputs', '');
  for (const name of keysOf(outputs)) {
    textAt(outputs, name, 'outputs');
  }
  return { outputs: outputs as Flow['outputs'] };
}

function layoutAt(data: JsonObject): Flow['layout'] {
  const layout = objectAt(data, 'layout', '');
  for (const id of keysOf(layout)) {
    positionFromData(layout[id], `layout.${id}`);
  }
  return layout as Flow['layout'];
}

/** Check a position [x, y]; `place` is named in the error. @throws FlowFileError */
export function positionFromData(pair: Json | undefined, place: string): readonly [number, number] {
  const numeric = Array.isArray(pair) && pair.every(item => typeof item === 'number');
  if (!numeric || pair.length !== 2) {
    throw wrong(place, 'a pair of numbers [x, y]', pair);
  }
  return pair as unknown as readonly [number, number];
}

function marksAt<T>(
  data: JsonObject,
  key: string,
  make: (items: readonly JsonObject[]) => readonly T[]
): readonly T[] {
  const items = data[key] === undefined ? [] : data[key];
  if (!Array.isArray(items)) {
    throw wrong(key, 'a list', items);
  }
  items.forEach((item: Json, index) => {
    if (!isObject(item)) {
      throw wrong(`${key}[${index}]`, 'an object', item);
    }
  });
  return make(items as JsonObject[]);
}

/** Refuse a flow with too many nodes or edges. @throws FlowFileError */
export function checkCounts(flow: Flow): void {
  checkCount(Object.keys(flow.nodes).length, MAX_NODES, 'nodes');
  checkCount(flow.edges.length, MAX_EDGES, 'edges');
}

function checkCount(count: number, limit: number, what: string): void {
  if (count > limit) {
    const [most, found] = [limit, count].map(number => number.toLocaleString('en-US'));
    throw new FlowFileError(
      `A flow may have ${most} ${what} at most; this one has ${found}.`,
      what,
      'Split it into subflows, or use a map.'
    );
  }
}

function objectsAt(data: JsonObject, key: string): { readonly [name: string]: JsonObject } {
  const entries = objectAt(data, key, '');
  for (const name of keysOf(entries)) {
    objectAt(entries, name, key);
  }
  return entries as { readonly [name: string]: JsonObject };
}

function objectAt(data: JsonObject, key: string, place: string): JsonObject {
  const value = data[key] === undefined ? {} : data[key];
  if (!isObject(value)) {
    throw wrong(inside(place, key), 'an object', value);
  }
  return value;
}

function textAt(data: JsonObject, key: string, place: string): string {
  const value = data[key] === undefined ? '' : data[key];
  if (typeof value !== 'string') {
    throw wrong(inside(place, key), 'a text', value);
  }
  return value;
}

function numberAt(data: JsonObject, key: string, place: string, nullable: boolean): void {
  const value = data[key];
  if (value !== undefined && typeof value !== 'number' && !(nullable && value === null)) {
    throw wrong(inside(place, key), 'a number', value);
  }
}

function wholeAt(data: JsonObject, key: string, place: string, nullable: boolean): void {
  const value = data[key];
  if (value !== undefined && !isWhole(data, key) && !(nullable && value === null)) {
    throw wrong(inside(place, key), 'a whole number', value);
  }
}

function choiceAt(data: JsonObject, key: string, place: string, choices: readonly string[]): void {
  const value = data[key];
  if (value === undefined || choices.includes(value as string)) {
    return;
  }
  const wanted = choices.map(choice => quoted(choice)).join(' or ');
  const hint = typeof value === 'string' ? didYouMean(value, choices) : '';
  throw new FlowFileError(`${quoted(key)} must be ${wanted}.`, inside(place, key), hint);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFalsy(value: Json | undefined): boolean {
  return !value || (typeof value === 'object' && Object.keys(value).length === 0);
}

function inside(place: string, key: string): string {
  return place ? `${place}.${key}` : key;
}

function wrong(place: string, wanted: string, value: Json | undefined): FlowFileError {
  return new FlowFileError(`This must be ${wanted}, found ${kind(value)}.`, place);
}

const blocks = new WeakMap<object, readonly [id: string, text: string]>();

/** Format an entry of a container: on one line where it fits, else one entry a line. */
function entry(container: Json, key: string, indent: number, path: readonly string[]): string {
  const value = (container as JsonObject)[key] as Json;
  const [outer = '', id = ''] = path;
  if (outer !== 'nodes' || path.length !== 2) {
    return format(container as JsonObject, key, indent, path);
  }
  const known = blocks.get(value as JsonObject);
  if (known?.[0] === id) {
    return known[1];
  }
  const text = format(container as JsonObject, key, indent, path);
  blocks.set(value as JsonObject, [id, text]);
  return text;
}

function format(
  container: JsonObject,
  key: string,
  indent: number,
  path: readonly string[]
): string {
  const value = container[key] as Json;
  const spread = !path.length || (path.length === 1 && BLOCKS.has(key));
  if (!isContainer(value) || isEmpty(value) || !spread) {
    const line = entryText(container, key);
    const used = path.length ? indent + characters(JSON.stringify(path.at(-1))) + 2 : 0;
    if (!isContainer(value) || line.length === 2 || used + characters(line) < WIDTH) {
      return line;
    }
  }
  const inner = indent + 2;
  const list = Array.isArray(value);
  const names = list ? value.map((_: Json, index) => String(index)) : keysOf(value as JsonObject);
  const entries = names.map(name => {
    const label = list ? '' : `${JSON.stringify(name)}: `;
    return `${' '.repeat(inner)}${label}${entry(value, name, inner, [...path, list ? '' : name])}`;
  });
  const [open, close] = list ? ['[', ']'] : ['{', '}'];
  return `${open}\n${entries.join(',\n')}\n${' '.repeat(indent)}${close}`;
}
