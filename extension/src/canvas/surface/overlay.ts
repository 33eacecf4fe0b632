/** What lies over the flow while the pointer moves and resizes things. */
import type { NodeChange } from '@xyflow/react';
import type { Point } from '../../core/edits/nodes';
import { isNote, type AnyNode, type GroupNode, type Overlay, type Size } from './scene';

/**
 * The overlay after React Flow's changes; moving a group's frame moves its nodes. A note's size is the
 * document's: only while it is being dragged it is here.
 */
export function laidOver(
  before: Overlay,
  changes: NodeChange<AnyNode>[],
  nodes: readonly AnyNode[]
): Overlay {
  const positions = new Map(before.positions);
  const sizes = new Map(before.sizes);
  const frames: [GroupNode, Point][] = [];
  const dragged = new Set(changes.flatMap(change => (change.type === 'position' ? change.id : [])));
  for (const change of changes) {
    if (change.type === 'dimensions' && isNote(change.id) && !change.resizing) {
      if (change.resizing === false) {
        sizes.delete(change.id);
        positions.delete(change.id);
      }
    } else if (change.type === 'dimensions' && change.dimensions) {
      sizes.set(change.id, [change.dimensions.width, change.dimensions.height] as Size);
    } else if (change.type === 'position' && change.position) {
      const node = nodes.find(found => found.id === change.id);
      const at: Point = [change.position.x, change.position.y];
      if (node?.type === 'frame') {
        frames.push([node, at]);
      } else {
        positions.set(change.id, at);
      }
    }
  }
  for (const [frame, at] of frames) {
    follow(frame, at, positions, dragged, nodes);
  }
  const isMeasured = changes.some(change => change.type === 'dimensions');
  return { positions, sizes: isMeasured ? sizes : before.sizes };
}

/** Move a group's nodes as far as its frame; those that are dragged themselves have moved already. */
function follow(
  frame: GroupNode,
  [x, y]: Point,
  positions: Map<string, Point>,
  dragged: ReadonlySet<string>,
  nodes: readonly AnyNode[]
): void {
  const [dx, dy] = [x - frame.position.x, y - frame.position.y];
  const members = new Set(frame.data.group.nodes);
  for (const node of nodes) {
    if (members.has(node.id) && !dragged.has(node.id)) {
      positions.set(node.id, [node.position.x + dx, node.position.y + dy]);
    }
  }
}
