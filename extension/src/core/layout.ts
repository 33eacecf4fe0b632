/** Automatic layout, from left to right. */
import { graphlib, layout as layoutByDagre } from '@dagrejs/dagre';
import { DEFAULT_SIZE, move } from './edits/arrange';
import type { Point } from './edits/nodes';
import { type Flow, PARAMS } from './flow';

/** Measured sizes of nodes, in pixels. */
export type Sizes = ReadonlyMap<string, readonly [width: number, height: number]>;

/** What is used of ELK. */
export interface ElkApi {
  layout(graph: ElkGraph): Promise<ElkGraph>;
}

export interface ElkGraph {
  id: string;
  x?: number;
  y?: number;
  width?: number;
  height?: number;
  layoutOptions?: Record<string, string>;
  children?: ElkGraph[];
  edges?: { id: string; sources: string[]; targets: string[] }[];
}

type Links = readonly (readonly [source: string, target: string])[];

/** From this many nodes on, ELK is faster and draws better. */
const DAGRE_LIMIT = 300;
const GAP = 40;
const RANK_GAP = 90;
const ELK_OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.spacing.nodeNode': String(GAP),
  'elk.layered.spacing.nodeNodeBetweenLayers': String(RANK_GAP)
};

/**
 * Place nodes from left to right. Their upper left corner stays where it is, so that a part that
 * is arranged remains in its place; notes stay.
 * @param elk loads ELK for big flows; without it dagre lays out every size
 * @param ids the nodes to arrange; absent: all
 */
export async function arrange(
  flow: Flow,
  sizes: Sizes,
  elk?: () => Promise<ElkApi>,
  ids: Iterable<string> = Object.keys(flow.nodes)
): Promise<Flow> {
  const nodes = [...new Set(ids)].filter(id => Object.hasOwn(flow.nodes, id));
  if (nodes.length === 0) {
    return flow;
  }
  const placed =
    elk && nodes.length > DAGRE_LIMIT
      ? await byElk(flow, nodes, sizes, await elk())
      : byDagre(flow, nodes, sizes);
  return move(flow, inPlace(flow, nodes, placed));
}

function inPlace(
  flow: Flow,
  nodes: readonly string[],
  placed: ReadonlyMap<string, Point>
): Map<string, Point> {
  const known = nodes.map(id => flow.layout[id]).filter(at => at !== undefined);
  const [left, top] = known.length > 0 ? corner(known) : [0, 0];
  const [fromLeft, fromTop] = corner([...placed.values()]);
  return new Map([...placed].map(([id, [x, y]]) => [id, [x - fromLeft + left, y - fromTop + top]]));
}

function corner(points: readonly Point[]): Point {
  return points.reduce(([left, top], [x, y]) => [Math.min(left, x), Math.min(top, y)], [
    Infinity,
    Infinity
  ] as Point);
}

function linksAmong(flow: Flow, nodes: readonly string[]): Links {
  const wanted = new Set(nodes);
  const seen = new Set<string>();
  return flow.edges.flatMap(({ source, target }) => {
    const key = `${source} ${target}`;
    const isNew = !seen.has(key) && source !== PARAMS && source !== target;
    seen.add(key);
    return isNew && wanted.has(source) && wanted.has(target) ? [[source, target] as const] : [];
  });
}

function groupOf(flow: Flow, nodes: readonly string[]): Map<string, string> {
  const wanted = new Set(nodes);
  return new Map(
    flow.groups.flatMap(group =>
      group.nodes.filter(id => wanted.has(id)).map(id => [id, group.id] as const)
    )
  );
}

function byDagre(flow: Flow, nodes: readonly string[], sizes: Sizes): Map<string, Point> {
  const groups = groupOf(flow, nodes);
  const graph = new graphlib.Graph({ compound: groups.size > 0 });
  graph.setGraph({ rankdir: 'LR', nodesep: GAP, ranksep: RANK_GAP });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of nodes) {
    const [width, height] = sizes.get(id) ?? DEFAULT_SIZE;
    graph.setNode(id, { width, height });
  }
  for (const [id, group] of groups) {
    const parent = `group of nodes: ${group}`;
    graph.setNode(parent, {});
    graph.setParent(id, parent);
  }
  for (const [source, target] of linksAmong(flow, nodes)) {
    graph.setEdge(source, target);
  }
  layoutByDagre(graph);
  return new Map(
    nodes.map(id => {
      const { x, y, width, height } = graph.node(id) as Required<ElkGraph>;
      return [id, [x - width / 2, y - height / 2]];
    })
  );
}

async function byElk(
  flow: Flow,
  nodes: readonly string[],
  sizes: Sizes,
  elk: ElkApi
): Promise<Map<string, Point>> {
  const groups = groupOf(flow, nodes);
  const parents = new Map<string, ElkGraph>();
  const children: ElkGraph[] = [];
  for (const id of nodes) {
    const [width, height] = sizes.get(id) ?? DEFAULT_SIZE;
    const group = groups.get(id);
    if (group === undefined) {
      children.push({ id, width, height });
      continue;
    }
    let parent = parents.get(group);
    if (!parent) {
      parent = { id: `group of nodes: ${group}`, children: [] };
      parents.set(group, parent);
      children.push(parent);
    }
    parent.children?.push({ id, width, height });
  }
  const edges = linksAmong(flow, nodes).map(([source, target], index) => ({
    id: `edge ${index}`,
    sources: [source],
    targets: [target]
  }));
  const result = await elk.layout({ id: 'flow', layoutOptions: ELK_OPTIONS, children, edges });
  return new Map(positions(result, [0, 0], new Set(nodes)));
}

function* positions(
  graph: ElkGraph,
  [left, top]: Point,
  nodes: ReadonlySet<string>
): Generator<[string, Point]> {
  for (const child of graph.children ?? []) {
    const at: Point = [left + (child.x ?? 0), top + (child.y ?? 0)];
    if (nodes.has(child.id)) {
      yield [child.id, at];
    }
    yield* positions(child, at, nodes);
  }
}
