/** Things while they are dragged: what stays where it is keeps its identity, and costs nothing. */
import type { Point } from '../../core/edits/nodes';
import { groupFrames, type AnyNode, type Framing } from './scene';

/** The same things with some elsewhere, and the groups' frames around them. */
export function moved(
  nodes: readonly AnyNode[],
  positions: ReadonlyMap<string, Point>,
  framing: Framing
): readonly AnyNode[] {
  if (positions.size === 0) {
    return nodes;
  }
  const shifted = nodes.map(node => at(node, positions.get(node.id)));
  const groups = framing.flow.groups.filter(group => group.nodes.some(id => positions.has(id)));
  if (groups.length === 0) {
    return shifted;
  }
  const drawn = new Map(shifted.map(node => [node.id, node]));
  const frames = groupFrames({ ...framing, flow: { ...framing.flow, groups } }, drawn);
  const framed = new Map(frames.map(frame => [frame.id, frame]));
  return shifted.map(node => framed.get(node.id) ?? node);
}

function at(node: AnyNode, position: Point | undefined): AnyNode {
  return position ? { ...node, position: { x: position[0], y: position[1] } } : node;
}
