/** Ports and their types: which there are, and what fits into which. */
import type { Catalog, NodeType, Port } from './catalog';
import type { Wire } from './controller';
import { ERROR, type Flow, type FlowNode, type JsonObject, OUT, PARAMS } from './flow';
import { freeName, nameFrom } from './fresh';
import { above, below, edgesFrom, edgesInto, type IndexedEdge } from './graph';
import { mainArguments } from './python';
import { bodyOf } from './scope';
import type { Values } from './sentence';
import { templateNames } from './template';
import { accepts, gathers, isList, parseType } from './types';

export { accepts, family, gathers, parseType, type Family, type PortType } from './types';

/** Whether two ends can be joined. */
export interface Verdict {
  readonly ok: boolean;
  /** English key for `trans(reason, values)`; "" when they can. */
  readonly reason: string;
  readonly values: Values;
}

const FINE: Verdict = { ok: true, reason: '', values: {} };
const ANY = 'any';
const PORT_OF_JSON_TYPE: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  array: 'json',
  object: 'json'
};

/** The port type of a parameter; `any` when its spec does not tell. */
export function parameterType(spec: JsonObject): string {
  if (typeof spec.type !== 'string') {
    return ANY;
  }
  const type = Object.hasOwn(PORT_OF_JSON_TYPE, spec.type)
    ? (PORT_OF_JSON_TYPE[spec.type] ?? ANY)
    : spec.type;
  try {
    parseType(type);
    return type;
  } catch {
    return ANY;
  }
}

/** Texts of a node's template fields. */
export function templatesOf(node: FlowNode, type: NodeType): string[] {
  const values = type.templates.map(field => node.config?.[field]);
  return values.filter(value => typeof value === 'string');
}

/**
 * Inputs of a node as they are drawn: the named ones, configuration fields that are wired, and
 * where any name may be wired, those that are, that templates mention, or that code and the body
 * ask for.
 */
export function inputsOf(flow: Flow, id: string, catalog: Catalog): readonly Port[] {
  const node = flow.nodes[id];
  if (!node) {
    return [];
  }
  const type = catalog.get(node.type);
  const wired = edgesInto(flow, id).map(edge => edge.targetPort);
  if (!type) {
    return [...new Set(wired)].map(name => plain(name, ANY, true));
  }
  const asked =
    type.free_inputs === null
      ? []
      : [...bodyNames(node, type), ...mentioned(node, type), ...argumentsOf(node, type)];
  const ports = new Map(type.inputs.map(port => [port.name, port]));
  for (const name of [...asked, ...wired]) {
    ports.set(name, ports.get(name) ?? inputPort(type, name) ?? plain(name, ANY, false));
  }
  return [...ports.values()];
}

function mentioned(node: FlowNode, type: NodeType): string[] {
  return templatesOf(node, type)
    .flatMap(templateNames)
    .filter(name => !Object.hasOwn(type.config_ports, name));
}

/** What the function asks for that stands in a field of Python code. */
function argumentsOf(node: FlowNode, type: NodeType): string[] {
  const fields = Object.entries((type.config.properties ?? {}) as Record<string, JsonObject>);
  return fields
    .filter(([, field]) => field['x-widget'] === 'python')
    .flatMap(([field]) => {
      const code = node.config?.[field];
      return typeof code === 'string' ? mainArguments(code) : [];
    })
    .filter(name => !Object.hasOwn(type.config_ports, name));
}

/** Parameters of inline bodies that the node does not fill from its own inputs. */
function bodyNames(node: FlowNode, type: NodeType): string[] {
  const own = type.inputs.length > 0 ? ['item', 'index'] : [];
  return type.bodies.flatMap(field => {
    const body = bodyOf(node, field);
    const names = body && typeof body !== 'string' ? Object.keys(body.parameters) : [];
    return names.filter(name => !own.includes(name) && !Object.hasOwn(type.config_ports, name));
  });
}

/**
 * Outputs of a node as they are drawn: the named ones, `error` when failures feed it, and where
 * any name may be wired, those that are and that the body returns. `params` has the parameters.
 */
export function outputsOf(flow: Flow, id: string, catalog: Catalog): readonly Port[] {
  if (id === PARAMS) {
    return Object.entries(flow.parameters).map(([name, spec]) =>
      plain(name, parameterType(spec), true)
    );
  }
  const node = flow.nodes[id];
  if (!node) {
    return [];
  }
  const type = catalog.get(node.type);
  const ports = new Map((type?.outputs ?? []).map(port => [port.name, port]));
  if (!type || type.free_outputs !== null) {
    const used = edgesFrom(flow, id).map(edge => edge.sourcePort);
    for (const name of [...(type ? bodyOutputs(node, type) : []), ...used]) {
      ports.set(name, ports.get(name) ?? plain(name, type?.free_outputs ?? ANY, false));
    }
  }
  if (node.on_error === 'port') {
    ports.set(ERROR, plain(ERROR, ANY, false));
  }
  return [...ports.values()];
}

function bodyOutputs(node: FlowNode, type: NodeType): string[] {
  return type.bodies.flatMap(field => {
    const body = bodyOf(node, field);
    return body && typeof body !== 'string' ? returned(body) : [];
  });
}

/** Names of what a flow returns, as far as they can be wired. */
function returned(flow: Flow): string[] {
  return flow.outputs
    ? Object.keys(flow.outputs)
    : Object.keys(flow.nodes).filter(id => edgesFrom(flow, id).length === 0);
}

function plain(name: string, type: string, required: boolean): Port {
  return { name, type, required, help: '' };
}

/** The port that an edge to `name` feeds; undefined when there is none. */
export function inputPort(type: NodeType, name: string): Port | undefined {
  const named = type.inputs.find(port => port.name === name);
  if (named) {
    return named;
  }
  if (Object.hasOwn(type.config_ports, name)) {
    return type.config_ports[name];
  }
  return type.free_inputs === null ? undefined : plain(name, type.free_inputs, false);
}

/** The type of what leaves a port; null: not known here, undefined: there is no such port. */
export function sourceType(
  flow: Flow,
  catalog: Catalog,
  id: string,
  port: string
): string | null | undefined {
  if (id === PARAMS) {
    const spec = Object.hasOwn(flow.parameters, port) ? flow.parameters[port] : undefined;
    return spec && parameterType(spec);
  }
  const node = flow.nodes[id];
  if (!node) {
    return undefined;
  }
  if (port === ERROR && node.on_error === 'port') {
    return ANY;
  }
  const type = catalog.get(node.type);
  if (!type) {
    return null;
  }
  return type.outputs.find(output => output.name === port)?.type ?? type.free_outputs ?? undefined;
}

/** The type of what enters a port; null: not known here, undefined: there is no such port. */
export function targetType(
  flow: Flow,
  catalog: Catalog,
  id: string,
  port: string
): string | null | undefined {
  const node = flow.nodes[id];
  if (!node) {
    return undefined;
  }
  const type = catalog.get(node.type);
  return type ? inputPort(type, port)?.type : null;
}

/** Whether a value, or an item of a list, may flow from one type to another. */
export function fits(target: string | null, source: string | null): boolean {
  return target === null || source === null || accepts(target, source) || gathers(target, source);
}

/** Whether several edges may end at this port. */
export function takesMany(flow: Flow, catalog: Catalog, id: string, port: string): boolean {
  const type = targetType(flow, catalog, id, port);
  return (typeof type === 'string' && isList(type)) || flow.nodes[id]?.join === 'any';
}

/** Say whether an edge between two ends may be drawn; either may come first. */
export function connectable(flow: Flow, catalog: Catalog, source: Wire, target: Wire): Verdict {
  if (source.side === target.side) {
    return refused(source.side === 'output' ? 'Both are outputs.' : 'Both are inputs.');
  }
  const [from, to] = source.side === 'output' ? [source, target] : [target, source];
  if (from.node === to.node) {
    return refused('A node cannot feed itself.');
  }
  const given = sourceType(flow, catalog, from.node, from.port);
  const wanted = targetType(flow, catalog, to.node, to.port);
  if (given === undefined || wanted === undefined) {
    return refused('There is no port {port}.', { port: given === undefined ? from.port : to.port });
  }
  if (!fits(wanted, given)) {
    return refused('{source} does not fit {target}.', {
      source: given ?? ANY,
      target: wanted ?? ANY
    });
  }
  if (from.node !== PARAMS && closesCircle(flow, source.side, from.node, to.node)) {
    return refused('This would close a circle.');
  }
  const isThere = edgesInto(flow, to.node).some(
    edge =>
      edge.targetPort === to.port && edge.source === from.node && edge.sourcePort === from.port
  );
  return isThere ? refused('They are connected already.') : FINE;
}

/** Looks from the end where the wire starts: all others are asked about with the same one. */
function closesCircle(flow: Flow, start: Wire['side'], from: string, to: string): boolean {
  return start === 'output' ? above(flow, from).has(to) : below(flow, to).has(from);
}

/** Edges that cannot stay beside a new one: a port takes one value, one whole list, or items. */
export function displacedBy(
  flow: Flow,
  catalog: Catalog,
  from: Wire,
  to: Wire
): readonly IndexedEdge[] {
  const present = edgesInto(flow, to.node).filter(edge => edge.targetPort === to.port);
  if (flow.nodes[to.node]?.join === 'any') {
    return [];
  }
  const isWhole = (node: string, port: string): boolean => {
    const type = sourceType(flow, catalog, node, port);
    return typeof type === 'string' && isList(type);
  };
  if (!takesMany(flow, catalog, to.node, to.port) || isWhole(from.node, from.port)) {
    return present;
  }
  return present.filter(edge => isWhole(edge.source, edge.sourcePort));
}

function refused(reason: string, values: Values = {}): Verdict {
  return { ok: false, reason, values };
}

/**
 * The port of a node that takes a dangling wire best, one that is still open before others;
 * undefined when none does.
 */
export function portFor(flow: Flow, catalog: Catalog, wire: Wire, id: string): Port | undefined {
  const type = catalog.get(flow.nodes[id]?.type ?? '');
  if (!type) {
    return undefined;
  }
  const carried = wireType(flow, catalog, wire);
  if (wire.side === 'input') {
    const drawn = outputsOf(flow, id, catalog).filter(port => port.name !== ERROR);
    return best(drawn, port => score(carried, port.type)) ?? bestPort(type, wire, carried);
  }
  const fed = new Set(edgesInto(flow, id).map(edge => edge.targetPort));
  const open = inputsOf(flow, id, catalog).filter(
    port => !fed.has(port.name) || takesMany(flow, catalog, id, port.name)
  );
  const found = best(open, port => score(port.type, carried)) ?? bestPort(type, wire, carried);
  return found && isFree(type, found.name)
    ? { ...found, name: freeName(found.name, name => fed.has(name) && name !== wire.port) }
    : found;
}

/**
 * The input that a wire would add to a node that takes any name; undefined: it takes no others, or
 * what the wire carries does not fit.
 */
export function newInput(flow: Flow, catalog: Catalog, wire: Wire, id: string): Port | undefined {
  const type = catalog.get(flow.nodes[id]?.type ?? '');
  if (!type || wire.side === 'input' || wire.node === id) {
    return undefined;
  }
  const taken = new Set(inputsOf(flow, id, catalog).map(({ name }) => name));
  const isTaken = (name: string): boolean =>
    taken.has(name) || Object.hasOwn(type.config_ports, name);
  return freePort(type.free_inputs, freeName(nameOf(wire), isTaken), wireType(flow, catalog, wire));
}

/** What the input of a wire is called where it may have any name. */
function nameOf(wire: Wire): string {
  return wire.port === OUT ? nameFrom(wire.node, 'value') : wire.port;
}

/** Whether an input exists only because something is wired to it or asks for it. */
function isFree(type: NodeType, name: string): boolean {
  return !type.inputs.some(port => port.name === name) && !Object.hasOwn(type.config_ports, name);
}

/** The port of a node type that takes a wire best; undefined when none does. */
export function bestPort(type: NodeType, wire: Wire, carried: string | null): Port | undefined {
  if (wire.side === 'input') {
    const found = best(type.outputs, port => score(carried, port.type));
    return found ?? freePort(type.free_outputs, OUT, carried);
  }
  const fields = Object.values(type.config_ports).filter(port => !type.bodies.includes(port.name));
  const name = freeName(nameOf(wire), other => Object.hasOwn(type.config_ports, other));
  return (
    best(type.inputs, port => score(port.type, carried)) ??
    freePort(type.free_inputs, name, carried) ??
    best(fields, port => score(port.type, carried))
  );
}

function freePort(type: string | null, name: string, carried: string | null): Port | undefined {
  return type !== null && fits(type, carried) ? plain(name, type, false) : undefined;
}

function best(ports: readonly Port[], rate: (port: Port) => number): Port | undefined {
  let found: Port | undefined;
  let highest = 0;
  for (const port of ports) {
    const rated = rate(port);
    if (rated > highest) {
      [found, highest] = [port, rated];
    }
  }
  return found;
}

/** 4: the same type, 3: an item of such a list, 2: JSON that fits, 1: any or not known, 0: no. */
function score(target: string | null, source: string | null): number {
  if (target === null || source === null) {
    return 1;
  }
  if (target === source) {
    return 4;
  }
  if (target === ANY || source === ANY) {
    return 1;
  }
  return gathers(target, source) ? 3 : accepts(target, source) ? 2 : 0;
}

/** The type at the end of a wire; null when it is not known. */
export function wireType(flow: Flow, catalog: Catalog, wire: Wire): string | null {
  const find = wire.side === 'output' ? sourceType : targetType;
  return find(flow, catalog, wire.node, wire.port) ?? null;
}

/** Node types that a dangling wire can be connected to. */
export function compatibleTypes(catalog: Catalog, wire: Wire, flow: Flow): NodeType[] {
  const carried = wireType(flow, catalog, wire);
  return [...catalog.values()].filter(type => bestPort(type, wire, carried));
}
