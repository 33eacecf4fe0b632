/** Flows to edit: the built-in node types, and random flows of them. */
import fc from 'fast-check';
import type { Catalog, NodeType } from '../../src/core/catalog';
import { flowFromData } from '../../src/core/file';
import { type Edge, EMPTY_FLOW, type Flow, type FlowNode, type Json } from '../../src/core/flow';
import builtin from '../../src/core/builtin.json';

export const catalog: Catalog = new Map(
  (builtin as unknown as NodeType[]).map(type => [type.type, type])
);

/** A flow from nodes (a type, or a whole node) and edges as text. */
export function flow(
  nodes: Record<string, string | FlowNode>,
  edges: readonly string[] = [],
  rest: Record<string, Json> = {}
): Flow {
  const made = Object.entries(nodes).map(([id, node]) => [
    id,
    typeof node === 'string' ? { type: node } : node
  ]);
  const layout = Object.fromEntries(Object.keys(nodes).map((id, at) => [id, [at * 300, at * 10]]));
  const data = {
    format: 'iaiflow/1',
    name: 'Test',
    nodes: Object.fromEntries(made),
    edges,
    layout
  };
  return flowFromData({ ...data, ...rest } as unknown as Json);
}

/** Every end of every edge, and all else that names a node, is there. */
export function isWhole(made: Flow): boolean {
  const has = (id: string): boolean => Object.hasOwn(made.nodes, id);
  const ends = made.edges.every(
    edge =>
      has(edge.target) &&
      (edge.source === 'params'
        ? Object.hasOwn(made.parameters, edge.sourcePort)
        : has(edge.source))
  );
  const texts = made.edges.map(edge => JSON.stringify(edge));
  const members = made.groups.flatMap(group => group.nodes);
  return (
    ends &&
    new Set(texts).size === texts.length &&
    Object.keys(made.layout).every(has) &&
    members.every(has) &&
    new Set(members).size === members.length &&
    Object.values(made.outputs ?? {}).every(reference => has(reference.split('.')[0] ?? ''))
  );
}

interface Draft {
  readonly type: number;
  readonly sources: readonly number[];
  readonly text: number;
  readonly skips: boolean;
}

/** A run-able node that takes values from earlier ones. */
function drafted(draft: Draft, at: number, ids: readonly string[]): [FlowNode, Edge[]] {
  const id = `n${at}`;
  const sources = [...new Set(draft.sources.map(number => number % (at + 1)))];
  const start = (number: number): Pick<Edge, 'source' | 'sourcePort'> => {
    const source = ids[number];
    return source === undefined
      ? { source: 'params', sourcePort: 'topic' }
      : { source, sourcePort: BRANCH.has(Number(source.slice(1))) ? 'true' : 'out' };
  };
  const into = (ports: readonly string[]): Edge[] =>
    sources.slice(0, ports.length).map((number, index) => ({
      ...start(number),
      target: id,
      targetPort: ports[index] ?? 'value'
    }));
  switch (draft.type) {
    case 0: {
      const node = { type: 'merge', config: { keep: 'all' } };
      return [
        node,
        sources.map(number => ({ ...start(number), target: id, targetPort: 'values' }))
      ];
    }
    case 1:
      BRANCH.add(at);
      return [
        { type: 'if', config: { condition: `params.level > ${draft.text}` } },
        into(['value'])
      ];
    default: {
      const ports = ['a', 'b'].slice(0, sources.length);
      const template = [`${id}:`, ...ports.map(port => `{{${port}}}`), '{{params.topic}}'];
      const text = template.slice(0, draft.text > 1 ? undefined : -1).join(' ');
      const skip = draft.skips ? { skip_if: 'params.level > 2' } : {};
      return [{ type: 'text.template', config: { template: text }, ...skip }, into(ports)];
    }
  }
}

/** Nodes that branch, by number, while one flow is made. */
const BRANCH = new Set<number>();

/** Flows that run without a network or a file. */
export const runnable: fc.Arbitrary<Flow> = fc
  .array(
    fc.record({
      type: fc.nat(5),
      sources: fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }),
      text: fc.nat(3),
      skips: fc.integer({ min: 0, max: 5 }).map(number => number === 0)
    }),
    { minLength: 2, maxLength: 8 }
  )
  .map(drafts => {
    BRANCH.clear();
    const nodes: Record<string, FlowNode> = {};
    const edges: Edge[] = [];
    drafts.forEach((draft, at) => {
      const [node, into] = drafted(draft, at, Object.keys(nodes));
      nodes[`n${at}`] = node;
      edges.push(...into);
    });
    const layout = Object.fromEntries(
      Object.keys(nodes).map((id, at) => [id, [at * 260, (at % 3) * 120] as const])
    );
    const parameters = { topic: { type: 'string' }, level: { type: 'integer', default: 1 } };
    return { ...EMPTY_FLOW, name: 'Random', parameters, nodes, edges, layout };
  });

/** A flow and some of its nodes. */
export const selected = runnable.chain(made =>
  fc.record({
    flow: fc.constant(made),
    ids: fc.subarray(Object.keys(made.nodes), { minLength: 1 })
  })
);
