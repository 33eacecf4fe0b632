/** How much of the flow is shown, followed while the view moves. */
import { useStoreApi } from '@xyflow/react';
import { useEffect, useMemo, useState } from 'react';
import { useSelect, useStore } from '../hooks';
import { useShared } from './context';
import { MANY, type Box } from './geometry';
import { boxOf, isCard, type AnyNode, type Scene, type Wire } from './scene';
import { Detail, type Near, type Contents } from './detail';

/** What is shown whole; null: the flow is so small that all of it is. Zooming adds nothing. */
export function useDetail(scene: Scene, far: boolean): Near | null {
  const store = useStoreApi<AnyNode, Wire>();
  const [detail] = useState(() => new Detail());
  const isZooming = useSelect(useShared().gesture, gesture => gesture === 'zoom');
  const large = scene.nodes.length > MANY;
  const contents = useMemo(() => (large ? contentsOf(scene) : null), [large, scene]);
  useEffect(() => {
    if (!contents || far) {
      detail.leave();
      return undefined;
    }
    if (isZooming) {
      return undefined;
    }
    const view = (): Box => {
      const { transform, width, height } = store.getState();
      return viewBox(transform, width, height);
    };
    detail.renew(view(), contents);
    return store.subscribe(() => detail.look(view(), contents));
  }, [detail, contents, far, isZooming, store]);
  const near = useStore(detail.near);
  return large ? near : null;
}

/** The part of the flow that is in detail. */
export function viewBox(
  [x, y, zoom]: readonly [number, number, number],
  width: number,
  height: number
): Box {
  return { x: -x / zoom, y: -y / zoom, width: width / zoom, height: height / zoom };
}

function contentsOf({ nodes, edges }: Scene): Contents {
  const boxes = new Map(nodes.flatMap(node => (isCard(node.id) ? [[node.id, boxOf(node)]] : [])));
  const wired = new Map<string, string[]>();
  for (const { source, target } of edges) {
    wired.set(source, [...(wired.get(source) ?? []), target]);
    wired.set(target, [...(wired.get(target) ?? []), source]);
  }
  return { boxes, neighbours: id => (wired.get(id) ?? []).filter(isCard) };
}
