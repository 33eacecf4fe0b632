/** Flows of any size. */
import type { Flow, FlowNode } from '../core/flow';

const COLUMNS = 40;

/** A flow of `count` nodes in rows, each fed by the one before it. */
export function bigFlow(count: number): Flow {
  const ids = Array.from({ length: count }, (_, index) => `n${index}`);
  const nodes: [string, FlowNode][] = ids.map((id, index) => [
    id,
    index === 0 ? { type: 'text.value', config: { text: 'x' } } : { type: 'text.upper' }
  ]);
  return {
    name: `${count} nodes`,
    parameters: {},
    nodes: Object.fromEntries(nodes),
    edges: ids.slice(1).map((id, index) => ({
      source: `n${index}`,
      sourcePort: 'out',
      target: id,
      targetPort: 'text'
    })),
    layout: Object.fromEntries(
      ids.map((id, index) => [id, [(index % COLUMNS) * 280, Math.floor(index / COLUMNS) * 160]])
    ),
    notes: [],
    groups: []
  };
}
