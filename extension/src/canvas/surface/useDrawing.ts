/** Of the scene, what is drawn: how much of each card, and which wires one can point at. */
import { useMemo, useState } from 'react';
import type { Point } from '../../core/edits/nodes';
import { Levels } from './levels';
import { moved } from './moving';
import type { AnyNode, Framing, Level, Scene, Wire } from './scene';
import { useDetail } from './useDetail';
import { split, type Drawn } from './wires';

export interface Drawing {
  readonly nodes: readonly AnyNode[];
  /** Wires that one can point at. */
  readonly edges: readonly Wire[];
  /** The others: those that rest, and those of what is being dragged. */
  readonly resting: Strung;
  readonly dragged: Strung;
}

/** Wires, and the nodes that they run between. */
export interface Strung {
  readonly wires: readonly Wire[];
  readonly drawn: Drawn;
}

const NONE: readonly Wire[] = [];

/** @param scene where everything is in the document */
export function useDrawing(
  scene: Scene,
  positions: ReadonlyMap<string, Point>,
  { flow, selection, editable, names }: Framing,
  far: boolean
): Drawing {
  const near = useDetail(scene, far);
  const [levels] = useState(() => new Levels());
  const nodes = useMemo(() => {
    const level = (id: string): Level =>
      near ? (near.cards.has(id) ? 'whole' : 'box') : far ? 'plain' : 'whole';
    return levels.apply(scene.nodes, level);
  }, [levels, scene, near, far]);
  const shown = useMemo(
    () => moved(nodes, positions, { flow, selection, editable, names }),
    [nodes, positions, flow, selection, editable, names]
  );
  const resting = useMemo(() => byId(scene.nodes), [scene]);
  const wires = useMemo(
    () => (near ? split(scene.edges, near, resting) : { live: scene.edges, still: NONE }),
    [scene, near, resting]
  );
  const keys = [...positions.keys()].join('\n');
  const parts = useMemo(() => {
    const moving = new Set(keys.split('\n'));
    const isDragged = ({ source, target }: Wire): boolean =>
      moving.has(source) || moving.has(target);
    return {
      dragged: wires.still.filter(isDragged),
      resting: wires.still.filter(wire => !isDragged(wire))
    };
  }, [wires, keys]);
  return {
    nodes: shown,
    edges: wires.live,
    resting: { wires: parts.resting, drawn: resting },
    dragged: {
      wires: parts.dragged,
      drawn: parts.dragged.length > 0 ? byId(shown) : resting
    }
  };
}

function byId(nodes: readonly AnyNode[]): Drawn {
  return new Map(nodes.map(node => [node.id, node]));
}
