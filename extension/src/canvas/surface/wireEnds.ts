/** The ends that a wire can be given with the keyboard. */
import type { Port } from '../../core/catalog';
import type { Wire as End } from '../../core/controller';
import type { Trans } from '../../core/i18n';
import type { AnyNode, CardNode } from './scene';

export interface Choice {
  readonly end: End;
  readonly text: string;
  readonly type: string;
}

/** What decides where a wire may end. */
export interface Targets {
  readonly trans: Trans;
  fits(end: End): boolean;
  /** The input that the wire would add to a node; undefined: none. */
  added(node: string): Port | undefined;
}

/** The ports of a node, where a wire may start. */
export function ownPorts(node: AnyNode | undefined, id: string): Choice[] {
  const data = node?.data as Partial<CardNode['data']> | undefined;
  return [
    ...(data?.outputs ?? []).map(port => choice(id, port, 'output', `${port.name} →`)),
    ...(data?.inputs ?? []).map(port => choice(id, port, 'input', `→ ${port.name}`))
  ];
}

/** The ports where a wire may end, the nearest first; those that it would add come last of a node. */
export function endsOf(nodes: readonly AnyNode[], from: End, targets: Targets): Choice[] {
  return nearestFirst(nodes, from).flatMap(node => [
    ...present(node, from.side).filter(({ end }) => targets.fits(end)),
    ...addable(node, from, targets)
  ]);
}

function nearestFirst(nodes: readonly AnyNode[], from: End): CardNode[] {
  const start = nodes.find(node => node.id === from.node)?.position ?? { x: 0, y: 0 };
  const ahead = from.side === 'output' ? 1 : -1;
  const distance = ({ position: { x, y } }: CardNode): number => {
    const dx = (x - start.x) * ahead;
    return Math.abs(dx) + Math.abs(y - start.y) + (dx < 0 ? 10_000 : 0);
  };
  return nodes
    .filter((node): node is CardNode => node.type === 'card' || node.type === 'params')
    .sort((one, other) => distance(one) - distance(other));
}

function present(node: CardNode, start: End['side']): Choice[] {
  const [side, ports] =
    start === 'output'
      ? (['input', node.data.inputs] as const)
      : (['output', node.data.outputs] as const);
  return (ports ?? []).map(port => choice(node.id, port, side, `${titleOf(node)} · ${port.name}`));
}

function addable(node: CardNode, from: End, { trans, added }: Targets): Choice[] {
  const port = from.side === 'output' && node.type === 'card' ? added(node.id) : undefined;
  if (!port) {
    return [];
  }
  const values = { node: titleOf(node), port: port.name };
  return [choice(node.id, port, 'input', trans('{node} · new input {port}', values))];
}

function choice(
  node: string,
  port: { readonly name: string; readonly type: string },
  side: End['side'],
  text: string
): Choice {
  return { end: { node, port: port.name, side }, text, type: port.type };
}

function titleOf({ id, data }: CardNode): string {
  const title = data.node?.title || data.type?.title;
  return title && title !== id ? `${title} (${id})` : id;
}
