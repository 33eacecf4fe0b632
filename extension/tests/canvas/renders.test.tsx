import type { ReactFlowProps } from '@xyflow/react';
import { act, createElement, forwardRef } from 'react';
import type { Root } from 'react-dom/client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AnyNode, Wire } from '../../src/canvas/surface/scene';
import type { Controller } from '../../src/core/controller';
import { bigFlow } from '../../src/testpage/flows';
import type { PageKernel } from '../../src/testpage/kernel';
import { showFlow } from './stage';

type Props = ReactFlowProps<AnyNode, Wire>;

const seen = vi.hoisted(() => ({ props: [] as unknown[], cards: [] as string[] }));

vi.mock('@xyflow/react', async original => {
  const actual: typeof import('@xyflow/react') = await original();
  const ReactFlow = forwardRef<HTMLDivElement, Props>(function ReactFlow(props, ref) {
    seen.props.push(props);
    return createElement(actual.ReactFlow<AnyNode, Wire>, { ...props, ref });
  });
  return { ...actual, ReactFlow };
});
vi.mock('../../src/canvas/surface/Ports', async original => {
  const actual: typeof import('../../src/canvas/surface/Ports') = await original();
  const Ports = (props: Parameters<typeof actual.Ports>[0]) => {
    seen.cards.push(props.node);
    return createElement(actual.Ports, props);
  };
  return { ...actual, Ports };
});

const latest = (): Props => seen.props.at(-1) as Props;
let root: Root;
let controller: Controller;
let kernel: PageKernel;

function open(count: number): void {
  ({ controller, kernel, root } = showFlow(bigFlow(count)));
  seen.cards.length = 0;
}

afterEach(() => {
  act(() => root.unmount());
  document.body.replaceChildren();
});

/** Names of what React Flow gets anew between two renderings. */
function changed(before: Props, after: Props): string[] {
  return (Object.keys(after) as (keyof Props)[]).filter(
    name => name !== 'children' && after[name] !== before[name]
  );
}

describe('what is drawn again', () => {
  it('is the dragged node alone, without its card', () => {
    open(20);
    const before = latest();
    const position = { x: 7, y: 9 };
    act(() => before.onNodesChange?.([{ id: 'n5', type: 'position', position, dragging: true }]));
    expect(changed(before, latest())).toEqual(['nodes']);
    const others = latest().nodes?.filter((node, at) => node !== before.nodes?.[at]);
    expect(others?.map(({ id, position: at }) => [id, at])).toEqual([['n5', position]]);
    expect(seen.cards).toEqual([]);
  });

  it('is one card when it is selected, and none when only the view is set', () => {
    open(20);
    act(() => controller.look({ snap: true }));
    expect(seen.cards).toEqual([]);
    act(() => controller.select(['n3']));
    expect(seen.cards).toEqual(['n3']);
  });

  it('is the card of the node that something is heard of', async () => {
    open(20);
    const heard = new Promise<void>(resolve => {
      controller.link.get()?.runs.subscribeAll(resolve);
    });
    await act(async () => {
      kernel.push([['n4', { state: 'running', attempt: 1 }]]);
      await heard;
    });
    expect(new Set(seen.cards)).toEqual(new Set(['n4']));
  });

  it('has no whole card of a large flow that is out of sight', () => {
    open(400);
    const levels = latest().nodes?.map(node => (node.type === 'card' ? node.data.level : null));
    expect(new Set(levels)).toEqual(new Set(['box']));
    expect(document.querySelectorAll('.react-flow__edge')).toHaveLength(0);
    expect(document.querySelectorAll('.iai-strands path').length).toBeGreaterThan(0);
  });
});

describe('a double click', () => {
  it('on a node without a body opens its setup', () => {
    open(2);
    const { nodes, onNodeDoubleClick } = latest();
    act(() => onNodeDoubleClick?.({} as never, nodes?.[0] as AnyNode));
    expect(controller.view.get().panels.has('inspector')).toBe(true);
  });
});
