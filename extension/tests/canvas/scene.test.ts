import { describe, expect, it } from 'vitest';
import { namesIn } from '../../src/canvas/surface/names';
import { translator } from '../../src/core/i18n';
import { cardHeight, nearest, rowMiddle, HANDLE } from '../../src/canvas/surface/geometry';
import { moved } from '../../src/canvas/surface/moving';
import {
  edgeIndex,
  SceneMaker,
  type CardNode,
  type GroupNode,
  type SceneInput
} from '../../src/canvas/surface/scene';
import type { NodeType } from '../../src/core/catalog';
import { EMPTY_FLOW, type Flow } from '../../src/core/flow';

const port = (name: string, type: string) => ({ name, type, required: true, help: '' });
const upper: NodeType = {
  type: 'upper',
  version: 1,
  category: 'Text',
  title: 'Upper',
  summary: '',
  help: '',
  inputs: [port('text', 'text')],
  outputs: [port('out', 'text')],
  config: {},
  config_ports: {},
  free_inputs: null,
  free_outputs: null,
  templates: [],
  expressions: [],
  bodies: [],
  effects: 'none',
  source: { kind: 'pack', name: 'test' }
};
const edge = { source: 'a', sourcePort: 'out', target: 'b', targetPort: 'text' };
const flow: Flow = {
  ...EMPTY_FLOW,
  nodes: { a: { type: 'upper' }, b: { type: 'upper' } },
  edges: [edge],
  layout: { a: [0, 0], b: [300, 0] },
  groups: [{ id: 'g', title: 'Both', nodes: ['a', 'b'] }]
};
const input: SceneInput = {
  flow,
  catalog: new Map([['upper', upper]]),
  selection: new Set(),
  selectedEdges: new Set(),
  sizes: new Map(),
  compared: null,
  names: namesIn(translator('en')),
  prefix: 'it',
  editable: true
};

describe('the scene', () => {
  it('keeps what is unchanged', () => {
    const maker = new SceneMaker();
    const before = maker.make(input);
    const after = maker.make({
      ...input,
      flow: { ...flow, layout: { ...flow.layout, b: [300, 40] } }
    });
    const find = (scene: typeof before, id: string) => scene.nodes.find(node => node.id === id);
    expect(find(after, 'a')).toBe(find(before, 'a'));
    expect(find(after, 'b')).not.toBe(find(before, 'b'));
    expect(find(after, 'b')?.data).toBe(find(before, 'b')?.data);
    expect(after.edges[0]).toBe(before.edges[0]);
  });

  it('marks only what is selected anew', () => {
    const maker = new SceneMaker();
    const before = maker.make(input);
    const after = maker.make({ ...input, selection: new Set(['a']) });
    const changed = after.nodes.filter((node, index) => node !== before.nodes[index]);
    expect(changed.map(node => node.id)).toEqual(['a']);
  });

  it('draws a group around its nodes wherever they are dragged', () => {
    const positions = new Map([['b', [600, 200] as const]]);
    const nodes = moved(new SceneMaker().make(input).nodes, positions, input);
    const frame = nodes.find((node): node is GroupNode => node.type === 'frame');
    const b = nodes.find((node): node is CardNode => node.id === 'b');
    expect(frame && frame.position.x + (frame.width ?? 0)).toBeGreaterThan(600 + 200);
    expect(frame && frame.position.y + (frame.height ?? 0)).toBeGreaterThan(
      200 + (b?.measured?.height ?? 0)
    );
  });

  it('shows the parameters as a source', () => {
    const parameters = { topic: { type: 'string' } };
    const { nodes } = new SceneMaker().make({ ...input, flow: { ...flow, parameters } });
    const params = nodes.find(node => node.type === 'params');
    expect(params?.handles?.map(handle => handle.id)).toEqual(['topic']);
    expect(params && params.position.x).toBeLessThan(0);
  });

  it('draws a node of an unknown type with the ports that are wired', () => {
    const nodes = { ...flow.nodes, b: { type: 'gone' } };
    const scene = new SceneMaker().make({ ...input, flow: { ...flow, nodes } });
    const b = scene.nodes.find((node): node is CardNode => node.id === 'b');
    expect(b?.data.type).toBeNull();
    expect(b?.data.inputs.map(({ name }) => name)).toEqual(['text']);
    expect(scene.edges).toHaveLength(1);
  });

  it('tells equal edges apart', () => {
    const twice = { ...flow, edges: [edge, { ...edge }] };
    const { edges } = new SceneMaker().make({ ...input, flow: twice });
    expect(edges.map(({ id }) => edgeIndex(twice, id))).toEqual([0, 1]);
  });

  it('shows what the present flow no longer has beside it', () => {
    const nodesLeft = { a: { type: 'upper' } };
    const present = { ...flow, nodes: nodesLeft, edges: [], groups: [] };
    const compared = { flow, nodes: new Map([['b', 'removed' as const]]), edges: new Map() };
    const { nodes } = new SceneMaker().make({ ...input, flow: present, compared });
    const b = nodes.find((node): node is CardNode => node.id === 'b');
    expect(b?.data.change).toBe('removed');
    expect(b?.position).toEqual({ x: 300, y: 0 });
  });
});

describe('places', () => {
  const boxes = new Map([
    ['middle', { x: 0, y: 0, width: 100, height: 50 }],
    ['right', { x: 300, y: 20, width: 100, height: 50 }],
    ['far', { x: 900, y: 0, width: 100, height: 50 }],
    ['below', { x: 10, y: 300, width: 100, height: 50 }]
  ]);

  it('finds the nearest in a direction', () => {
    expect(nearest(boxes, 'middle', 'right')).toBe('right');
    expect(nearest(boxes, 'middle', 'down')).toBe('below');
    expect(nearest(boxes, 'middle', 'left')).toBeNull();
    expect(nearest(boxes, 'gone', 'left')).toBeNull();
  });

  it('keeps ports inside their card', () => {
    expect(rowMiddle(2) + HANDLE).toBeLessThan(cardHeight(3, 1));
  });
});
