/**
 * From a flow to what React Flow draws. Whatever is unchanged keeps its identity, so that only the
 * cards and wires that changed are drawn again. What is local (selection, sizes, positions while
 * something is dragged) is laid over the flow and never stored in it.
 */
import type { Edge as WireEdge, Node as SurfaceNode } from '@xyflow/react';
import type { Catalog, NodeType, Port } from '../../core/catalog';
import type { Change } from '../../core/diff';
import {
  PARAMS,
  type Edge,
  type Flow,
  type FlowNode,
  type Group,
  type Note
} from '../../core/flow';
import { inputsOf, outputsOf } from '../../core/ports';
import type { Point } from '../../core/edits/nodes';
import type { Names } from './names';
import {
  around,
  cardHeight,
  CARD_WIDTH,
  GROUP_PADDING,
  GROUP_TITLE,
  handlesOf,
  type Box
} from './geometry';

/** How much of a card is shown: all of it, its name and ports' places, or its name alone. */
export type Level = 'whole' | 'plain' | 'box';

export interface CardData extends Record<string, unknown> {
  readonly node: FlowNode;
  /** null: the catalog does not have it. */
  readonly type: NodeType | null;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** How it differs from the version that is compared. */
  readonly change: Change | null;
  readonly level: Level;
}
export type CardNode = SurfaceNode<CardData, 'card'>;
export type ParamsNode = SurfaceNode<{ outputs: readonly Port[] }, 'params'>;
export type NoteNode = SurfaceNode<{ note: Note }, 'note'>;
export type GroupNode = SurfaceNode<{ group: Group }, 'frame'>;
export type AnyNode = CardNode | ParamsNode | NoteNode | GroupNode;
export type Wire = WireEdge<{ family: string; change: Change | null }, 'wire'>;

export type Size = readonly [width: number, height: number];

/** What lies over the flow here and now, by the surface's node ids. */
export interface Overlay {
  readonly positions: ReadonlyMap<string, Point>;
  readonly sizes: ReadonlyMap<string, Size>;
}
export const NO_OVERLAY: Overlay = { positions: new Map(), sizes: new Map() };

export interface SceneInput {
  readonly flow: Flow;
  readonly catalog: Catalog;
  readonly selection: ReadonlySet<string>;
  readonly selectedEdges: ReadonlySet<number>;
  /** What was measured, by the surface's node ids. */
  readonly sizes: ReadonlyMap<string, Size>;
  /** The compared version's flow and how nodes and edges differ from it; null: none is compared. */
  readonly compared: Compared | null;
  readonly names: Names;
  /** Prefix of the ids of elements that say what a node is doing. */
  readonly prefix: string;
  readonly editable: boolean;
}

/** What groups' frames are drawn from. */
export type Framing = Pick<SceneInput, 'flow' | 'selection' | 'editable' | 'names'>;

export interface Compared {
  readonly flow: Flow;
  readonly nodes: ReadonlyMap<string, Change>;
  readonly edges: ReadonlyMap<string, Change>;
}

export interface Scene {
  readonly nodes: readonly AnyNode[];
  readonly edges: readonly Wire[];
}

const NOTE = 'note:';
const GROUP = 'group:';

/** Ids on the surface: those of notes and groups are told apart from those of nodes. */
export const noteKey = (id: string): string => NOTE + id;
export const groupKey = (id: string): string => GROUP + id;

/** The id in the flow of something on the surface. */
export function flowId(key: string): string {
  return key.startsWith(NOTE) || key.startsWith(GROUP) ? key.slice(key.indexOf(':') + 1) : key;
}

export function isNote(key: string): boolean {
  return key.startsWith(NOTE);
}

export function isCard(key: string): boolean {
  return !key.includes(':') && key !== PARAMS;
}

/** The surface's id of an edge; the same edge twice has a number. */
function edgeKeys(edges: readonly Edge[]): string[] {
  const seen = new Map<string, number>();
  return edges.map(edge => {
    const key = `${edge.source}.${edge.sourcePort}->${edge.target}.${edge.targetPort}`;
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    return count ? `${key}#${count}` : key;
  });
}

/** The index in the flow of an edge on the surface; -1 when it is gone. */
export function edgeIndex(flow: Flow, key: string): number {
  return edgeKeys(flow.edges).indexOf(key);
}

/** Makes scenes, each from what it remembers of the one before. */
export class SceneMaker {
  private readonly ports = new Map<string, Ports>();
  private nodes = new Map<string, AnyNode>();
  private wires = new Map<string, Wire>();

  make(input: SceneInput): Scene {
    const nodes = this.kept([...this.cards(input), ...this.notes(input)]);
    const frames = groupFrames(input, new Map(nodes.map(node => [node.id, node])));
    const all = [...this.kept(frames), ...nodes];
    const wires = this.wiresOf(input, new Map(all.map(node => [node.id, node])));
    this.nodes = new Map(all.map(node => [node.id, node]));
    this.wires = new Map(wires.map(wire => [wire.id, wire]));
    return { nodes: all, edges: wires };
  }

  /** The same objects as before for whatever says the same. */
  private kept(next: readonly AnyNode[]): AnyNode[] {
    return next.map(node => {
      const before = this.nodes.get(node.id);
      return before && sameNode(before, node) ? before : node;
    });
  }

  private *cards(input: SceneInput): Iterable<AnyNode> {
    const { flow, catalog, compared } = input;
    const wired = adjacent(flow);
    yield* this.paramsCard(input);
    for (const [id, node] of Object.entries(flow.nodes)) {
      const type = catalog.get(node.type) ?? null;
      const ports = this.portsOf(id, node, catalog, type, wired.get(id) ?? []);
      yield this.card(input, id, node, type, ports, compared?.nodes.get(id) ?? null);
    }
    for (const [id, node] of Object.entries(compared?.flow.nodes ?? {})) {
      if (!Object.hasOwn(flow.nodes, id)) {
        const type = catalog.get(node.type) ?? null;
        const ports = this.portsOf(id, node, catalog, type, []);
        yield this.card(
          { ...input, flow: compared?.flow ?? flow },
          id,
          node,
          type,
          ports,
          'removed'
        );
      }
    }
  }

  private card(
    input: SceneInput,
    id: string,
    node: FlowNode,
    type: NodeType | null,
    { inputs, outputs, handles }: Ports,
    change: Change | null
  ): CardNode {
    const before = this.nodes.get(id) as CardNode | undefined;
    const next: CardData = { node, type, inputs, outputs, change, level: 'whole' };
    const data = before?.data && sameFields(before.data, next) ? before.data : next;
    const estimate: Size = [CARD_WIDTH, cardHeight(inputs.length, outputs.length)];
    return {
      id,
      type: 'card',
      data,
      handles,
      ariaLabel: input.names.node(id, node, type),
      domAttributes: {
        ...spoken(input.names.kinds.node),
        'aria-describedby': statusId(input.prefix, id)
      },
      ...placed(input, id, input.flow.layout[id] ?? [0, 0], estimate)
    };
  }

  private *paramsCard(input: SceneInput): Iterable<ParamsNode> {
    const { flow, catalog } = input;
    if (Object.keys(flow.parameters).length === 0) {
      return;
    }
    const before = this.ports.get(PARAMS);
    const ports =
      before?.node === flow.parameters
        ? before
        : remember(flow.parameters, null, '', [], outputsOf(flow, PARAMS, catalog));
    this.ports.set(PARAMS, ports);
    const { outputs, handles } = ports;
    const previous = this.nodes.get(PARAMS) as ParamsNode | undefined;
    yield {
      id: PARAMS,
      type: 'params',
      data: previous?.data.outputs === outputs ? previous.data : { outputs },
      handles,
      ariaLabel: input.names.params,
      domAttributes: spoken(input.names.kinds.node),
      ...placed(input, PARAMS, paramsPlace(flow), [CARD_WIDTH, cardHeight(0, outputs.length)])
    };
  }

  private portsOf(
    id: string,
    node: FlowNode,
    catalog: Catalog,
    type: NodeType | null,
    edges: readonly Edge[]
  ): Ports {
    const wired = edges.map(edge => `${edge.source}.${edge.sourcePort} ${edge.targetPort}`).join();
    const before = this.ports.get(id);
    if (before?.node === node && before.type === type && before.wired === wired) {
      return before;
    }
    const part: Flow = { ...PART, nodes: { [id]: node }, edges };
    const ports = remember(
      node,
      type,
      wired,
      inputsOf(part, id, catalog),
      outputsOf(part, id, catalog)
    );
    this.ports.set(id, ports);
    return ports;
  }

  private notes(input: SceneInput): NoteNode[] {
    return input.flow.notes.map(note => {
      const key = noteKey(note.id);
      const before = this.nodes.get(key) as NoteNode | undefined;
      const size = input.sizes.get(key) ?? ([note.width, note.height] as const);
      return {
        id: key,
        type: 'note',
        data: before?.data.note === note ? before.data : { note },
        ariaLabel: input.names.note(note),
        domAttributes: spoken(input.names.kinds.note),
        ...placed(input, key, [note.x, note.y], size),
        width: size[0],
        height: size[1],
        zIndex: -1
      };
    });
  }

  private wiresOf(input: SceneInput, drawn: ReadonlyMap<string, AnyNode>): Wire[] {
    const keys = edgeKeys(input.flow.edges);
    return input.flow.edges.flatMap((edge, index) => {
      const source = drawn.get(edge.source);
      const id = keys[index] as string;
      if (!source || !drawn.has(edge.target)) {
        return [];
      }
      const outputs = (source as CardNode | ParamsNode).data.outputs;
      const family = outputs.find(port => port.name === edge.sourcePort)?.type ?? 'any';
      const change = input.compared?.edges.get(edgeName(edge)) ?? null;
      const selected = input.selectedEdges.has(index);
      const before = this.wires.get(id);
      const same = before?.data?.family === family && before.data.change === change;
      if (before && same && before.selected === selected) {
        return [before];
      }
      return [wire(input.names, id, edge, family, change, selected)];
    });
  }
}

/**
 * Arrow keys go from one thing to the next, and Tab leaves the surface: it need not pass hundreds of
 * nodes on its way. Groups are no places for arrows, and keep their stop.
 */
function spoken(kind: string): { 'aria-roledescription': string; tabIndex: number } {
  return { 'aria-roledescription': kind, tabIndex: -1 };
}

/** Id of the element that says what a node is doing. */
export function statusId(prefix: string, node: string): string {
  return `${prefix}-status-${node}`;
}

function edgeName(edge: Edge): string {
  return `${edge.source}.${edge.sourcePort} -> ${edge.target}.${edge.targetPort}`;
}

function wire(
  names: Names,
  id: string,
  edge: Edge,
  family: string,
  change: Change | null,
  selected: boolean
): Wire {
  return {
    id,
    type: 'wire',
    source: edge.source,
    sourceHandle: edge.sourcePort,
    target: edge.target,
    targetHandle: edge.targetPort,
    data: { family, change },
    ariaLabel: names.wire(edge),
    domAttributes: { 'aria-roledescription': names.kinds.wire },
    selected
  };
}

interface Ports {
  readonly node: unknown;
  readonly type: NodeType | null;
  readonly wired: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly handles: ReturnType<typeof handlesOf>;
}

function remember(
  node: unknown,
  type: NodeType | null,
  wired: string,
  inputs: readonly Port[],
  outputs: readonly Port[]
): Ports {
  return { node, type, wired, inputs, outputs, handles: handlesOf(inputs, outputs) };
}

const PART: Omit<Flow, 'nodes' | 'edges'> = {
  name: '',
  parameters: {},
  layout: {},
  notes: [],
  groups: []
};

/** The edges at each node. */
function adjacent(flow: Flow): ReadonlyMap<string, Edge[]> {
  const found = new Map<string, Edge[]>();
  for (const edge of flow.edges) {
    for (const id of [edge.source, edge.target]) {
      const edges = found.get(id);
      if (edges) {
        edges.push(edge);
      } else {
        found.set(id, [edge]);
      }
    }
  }
  return found;
}

/** Left of everything, unless it was moved. */
function paramsPlace(flow: Flow): Point {
  const kept = flow.layout[PARAMS];
  if (kept) {
    return kept;
  }
  const places = Object.keys(flow.nodes).map(id => flow.layout[id] ?? ([0, 0] as const));
  if (places.length === 0) {
    return [0, 0];
  }
  const x = Math.min(...places.map(place => place[0]));
  return [x - CARD_WIDTH - 96, Math.min(...places.map(place => place[1]))];
}

function placed(
  { sizes, selection, editable }: SceneInput,
  key: string,
  [x, y]: Point,
  estimate: Size
): Pick<AnyNode, 'position' | 'measured' | 'selected' | 'draggable'> {
  const [width, height] = sizes.get(key) ?? estimate;
  return {
    position: { x, y },
    measured: { width, height },
    selected: selection.has(flowId(key)),
    draggable: editable
  };
}

/** Groups are drawn around their nodes, wherever those are. */
export function groupFrames(
  { flow, selection, editable, names }: Framing,
  drawn: ReadonlyMap<string, AnyNode>
): GroupNode[] {
  return flow.groups.flatMap(group => {
    const members = group.nodes.flatMap(id => drawn.get(id) ?? []);
    const box = around(members.map(boxOf));
    if (!box) {
      return [];
    }
    const width = box.width + 2 * GROUP_PADDING;
    const height = box.height + 2 * GROUP_PADDING + GROUP_TITLE;
    return {
      id: groupKey(group.id),
      type: 'frame' as const,
      data: { group },
      ariaLabel: names.group(group),
      domAttributes: { 'aria-roledescription': names.kinds.group },
      position: { x: box.x - GROUP_PADDING, y: box.y - GROUP_PADDING - GROUP_TITLE },
      measured: { width, height },
      width,
      height,
      selected: selection.has(group.id),
      draggable: editable,
      dragHandle: '.iai-group-title',
      zIndex: -2,
      style: { pointerEvents: 'none' as const }
    };
  });
}

/** Where something on the surface is. */
export function boxOf(node: AnyNode): Box {
  return {
    ...node.position,
    width: node.measured?.width ?? CARD_WIDTH,
    height: node.measured?.height ?? 0
  };
}

function sameNode(before: AnyNode, next: AnyNode): boolean {
  return (
    before.position.x === next.position.x &&
    before.position.y === next.position.y &&
    before.measured?.width === next.measured?.width &&
    before.measured?.height === next.measured?.height &&
    before.selected === next.selected &&
    before.draggable === next.draggable &&
    before.handles === next.handles &&
    before.ariaLabel === next.ariaLabel &&
    (before.data === next.data || sameFields(before.data, next.data))
  );
}

function sameFields(before: object, next: object): boolean {
  const fields = next as Record<string, unknown>;
  return Object.entries(before).every(([name, value]) => fields[name] === value);
}
