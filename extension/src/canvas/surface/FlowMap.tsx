/** The whole flow in small, with the part in sight framed: drawn anew only when the flow changes. */
import { Panel, useReactFlow, useStore as useSurfaceStore } from '@xyflow/react';
import { useEffect, useMemo, useRef, type PointerEvent } from 'react';
import { useForcedColors, useTheme } from '../chrome/theme';
import { useController } from '../hooks';
import { mapSize, type Size } from './fit';
import { around, type Box } from './geometry';
import { tintOf } from './icons';
import { boxOf, type AnyNode, type Wire } from './scene';

const MARGIN = 10;
/** Nothing is drawn smaller than this, in pixels. */
const LEAST = 2;

interface Frame {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

interface Props {
  readonly nodes: readonly AnyNode[];
  readonly size: Size;
}

/** How large the map is on this surface; null: it would cover what one works on. */
export function useMapSize(): Size | null {
  return useSurfaceStore(mapSize);
}

export function FlowMap({ nodes, size }: Props) {
  const { trans } = useController().services;
  const rf = useReactFlow<AnyNode, Wire>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useMemo(() => frameOf(nodes, size), [nodes, size]);
  const theme = useTheme();
  const forced = useForcedColors();
  useEffect(() => {
    if (canvas.current) {
      draw(canvas.current, nodes, frame, size);
    }
  }, [nodes, frame, size, theme, forced]);

  const go = (event: PointerEvent<HTMLElement>): void => {
    if (event.buttons !== 1) {
      return;
    }
    event.currentTarget.setPointerCapture(event.pointerId);
    const box = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - box.x - frame.x) / frame.scale;
    const y = (event.clientY - box.y - frame.y) / frame.scale;
    void rf.setCenter(x, y, { zoom: rf.getZoom() });
  };
  return (
    <Panel position="bottom-right" className="iai-map">
      <div
        className="iai-map-inside nopan nowheel"
        role="img"
        aria-label={trans('Map of the flow')}
        style={size}
        onPointerDown={go}
        onPointerMove={go}
      >
        <canvas ref={canvas} aria-hidden="true" />
        <InSight frame={frame} />
      </div>
    </Panel>
  );
}

function InSight({ frame: { scale, x, y } }: { readonly frame: Frame }) {
  const [left, top, zoom] = useSurfaceStore(state => state.transform);
  const width = useSurfaceStore(state => state.width);
  const height = useSurfaceStore(state => state.height);
  return (
    <div
      className="iai-map-sight"
      style={{
        width: (width / zoom) * scale,
        height: (height / zoom) * scale,
        transform: `translate(${(-left / zoom) * scale + x}px, ${(-top / zoom) * scale + y}px)`
      }}
    />
  );
}

function frameOf(nodes: readonly AnyNode[], size: Size): Frame {
  const box: Box = around(nodes.map(boxOf)) ?? { x: 0, y: 0, width: 1, height: 1 };
  const scale = Math.min(
    (size.width - 2 * MARGIN) / Math.max(box.width, 1),
    (size.height - 2 * MARGIN) / Math.max(box.height, 1),
    0.2
  );
  return {
    scale,
    x: (size.width - box.width * scale) / 2 - box.x * scale,
    y: (size.height - box.height * scale) / 2 - box.y * scale
  };
}

function draw(
  canvas: HTMLCanvasElement,
  nodes: readonly AnyNode[],
  frame: Frame,
  size: Size
): void {
  const density = window.devicePixelRatio || 1;
  canvas.width = size.width * density;
  canvas.height = size.height * density;
  const pen = canvas.getContext('2d');
  if (!pen) {
    return;
  }
  const colors = getComputedStyle(canvas);
  const known = new Map<string, string>();
  const color = (name: string): string => {
    const value = known.get(name) ?? (colors.getPropertyValue(name).trim() || '#888');
    known.set(name, value);
    return value;
  };
  pen.scale(density, density);
  for (const node of nodes) {
    const box = boxOf(node);
    pen.fillStyle = color(node.selected ? '--iai-focus' : colorName(node));
    pen.globalAlpha = node.type === 'frame' ? 0.4 : 1;
    pen.fillRect(
      box.x * frame.scale + frame.x,
      box.y * frame.scale + frame.y,
      Math.max(LEAST, box.width * frame.scale),
      Math.max(LEAST, box.height * frame.scale)
    );
  }
}

function colorName(node: AnyNode): string {
  switch (node.type) {
    case 'card':
      return `--iai-tint-${tintOf(node.data.type?.category ?? '')}`;
    case 'note':
      return '--iai-note';
    case 'params':
      return '--iai-tint-0';
    default:
      return '--jp-layout-color4';
  }
}
