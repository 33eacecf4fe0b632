/** Where wires run, and which of a large flow's wires one can point at. */
import { getBezierPath, Position } from '@xyflow/react';
import { around } from './geometry';
import { boxOf, isCard, type AnyNode, type Wire } from './scene';
import { meet, type Near } from './detail';

export type Drawn = ReadonlyMap<string, AnyNode>;

/** Wires that look alike, as one path. */
export interface Strand {
  readonly key: string;
  readonly family: string;
  readonly change: string | undefined;
  readonly selected: boolean;
  readonly path: string;
}

/** Wires in one path: so few that those out of sight are passed over together. */
const TOGETHER = 50;

/** The wires between whole cards, that one can point at, and the others in detail. */
export function split(
  wires: readonly Wire[],
  { cards, region }: Near,
  drawn: Drawn
): { readonly live: readonly Wire[]; readonly still: readonly Wire[] } {
  const isWhole = (id: string): boolean => cards.has(id) || !isCard(id);
  const live: Wire[] = [];
  const still: Wire[] = [];
  for (const wire of wires) {
    const box = around([wire.source, wire.target].flatMap(id => boxes(drawn.get(id))));
    if (region && isWhole(wire.source) && isWhole(wire.target)) {
      live.push(wire);
    } else if (!region || (box && meet(region, box))) {
      still.push(wire);
    }
  }
  return { live, still };
}

function boxes(node: AnyNode | undefined) {
  return node ? [boxOf(node)] : [];
}

/** The wires as few paths, each of wires that look alike. */
export function strands(wires: readonly Wire[], drawn: Drawn): readonly Strand[] {
  const alike = new Map<string, Wire[]>();
  for (const wire of wires) {
    const look = JSON.stringify([wire.data?.family, wire.data?.change, wire.selected]);
    const others = alike.get(look);
    void (others ? others.push(wire) : alike.set(look, [wire]));
  }
  return [...alike].flatMap(([look, group]) =>
    Array.from({ length: Math.ceil(group.length / TOGETHER) }, (_, part) =>
      strand(`${look} ${part}`, group.slice(part * TOGETHER, (part + 1) * TOGETHER), drawn)
    )
  );
}

function strand(key: string, wires: readonly Wire[], drawn: Drawn): Strand {
  const [first] = wires;
  return {
    key,
    family: first?.data?.family ?? 'any',
    change: first?.data?.change ?? undefined,
    selected: first?.selected ?? false,
    path: wires.map(wire => curve(wire, drawn)).join('')
  };
}

/** The curve of one wire; "" when an end of it is nowhere. */
export function curve(wire: Wire, drawn: Drawn): string {
  const source = end(drawn.get(wire.source), 'source', wire.sourceHandle);
  const target = end(drawn.get(wire.target), 'target', wire.targetHandle);
  if (!source || !target) {
    return '';
  }
  const [path] = getBezierPath({
    sourceX: source[0],
    sourceY: source[1],
    sourcePosition: Position.Right,
    targetX: target[0],
    targetY: target[1],
    targetPosition: Position.Left
  });
  return path;
}

/** Where a wire ends at a card: at the rim of its port. */
function end(
  node: AnyNode | undefined,
  side: 'source' | 'target',
  port: string | null | undefined
): readonly [number, number] | null {
  const handle = node?.handles?.find(({ id, type }) => type === side && id === port);
  if (!node || !handle) {
    return null;
  }
  const { width = 0, height = 0 } = handle;
  const x = node.position.x + handle.x + (side === 'source' ? width : 0);
  return [x, node.position.y + handle.y + height / 2];
}
