/**
 * A flow in a Yjs document, where several people may edit it. Every leaf is JSON text, so that
 * numbers and keys come back as they were written; `iaiflow_extension.ydoc` reads the same document.
 *
 * `nodes` is a map of maps: a node's fields by name, and each field of its configuration as
 * `config.NAME` with their order under `config`. `layout`, `notes` and `groups` are maps. The order
 * of their entries stands in arrays of keys: `order`, `layoutOrder`, `noteOrder`, `groupOrder`.
 * `edges` is an array of `a.out -> b.in`. `meta` has `name`, `$schema`, `parameters`, `outputs`, and
 * as `source` the text of a file that is spelled otherwise than we would, or cannot be read.
 */
import * as Y from 'yjs';
import { Entries, orderedKeys, sequenceChanges, type Write } from './entries';
import { checkCounts, edgeText, nodeData, nodeFromData, parseEdge, positionFromData } from './file';
import type { Edge, Flow, FlowNode, Group, Json, JsonObject, Note } from './flow';
import { EMPTY_FLOW } from './flow';
import {
  FlowFileError,
  inheritSpelling,
  jsonLine,
  keysOf,
  leavesOf,
  objectOf,
  parseJson,
  readLeaf,
  type Leaf
} from './json';
import { groupWithId, markData, noteWithId } from './marks';
import { nodeIdFault } from './names';

type Leaves = ReadonlyMap<string, Leaf>;
type Position = readonly [number, number];

const CONFIG = 'config';
const META = ['name', 'parameters', 'outputs', '$schema'] as const;

export class SharedFlow {
  /** Everything that belongs to the flow: what undo covers. */
  readonly parts: Y.AbstractType<unknown>[];
  private readonly nodes: Y.Map<Y.Map<string>>;
  private readonly order: Y.Array<string>;
  private readonly edges: Y.Array<string>;
  private readonly meta: Y.Map<string>;
  private readonly layout: Entries<Position>;
  private readonly notes: Entries<Note>;
  private readonly groups: Entries<Group>;
  /** What was read or written last of each node, field by field. */
  private readonly leaves = new Map<string, Leaves>();
  private metaLeaves = new Map<string, Leaf>();
  /** What changed since the last reading. */
  private readonly changedNodes = new Set<string>();
  private readonly changedParts = new Set<unknown>();

  constructor(ydoc: Y.Doc) {
    const map = <T>(name: string): Y.Map<T> => ydoc.getMap(name);
    const array = (name: string): Y.Array<string> => ydoc.getArray(name);
    const mark = (text: string): JsonObject => parseJson(text) as JsonObject;
    this.nodes = map('nodes');
    this.order = array('order');
    this.edges = array('edges');
    this.meta = map('meta');
    this.layout = new Entries(
      map('layout'),
      array('layoutOrder'),
      (text, id) => positionFromData(parseJson(text), `layout.${id}`),
      position => checkedLine(positionFromData(position, 'layout'))
    );
    this.notes = new Entries(
      map('notes'),
      array('noteOrder'),
      (text, id) => noteWithId(id, mark(text)),
      note => checkedLine(markData(note))
    );
    this.groups = new Entries(
      map('groups'),
      array('groupOrder'),
      (text, id) => groupWithId(id, mark(text)),
      group => checkedLine(markData(group))
    );
    const entries = [this.layout, this.notes, this.groups].flatMap(({ map, order }) => [
      map,
      order
    ]);
    this.parts = [this.order, this.edges, this.meta, ...entries] as Y.AbstractType<unknown>[];
    this.parts.forEach(part => part.observe(this.onPart));
    this.nodes.observeDeep(this.onNodes);
    this.parts.push(this.nodes as Y.AbstractType<unknown>);
    this.parts.forEach(part => this.changedParts.add(part));
    [...this.nodes.keys()].forEach(id => this.changedNodes.add(id));
  }

  dispose(): void {
    this.parts.filter(part => part !== this.nodes).forEach(part => part.unobserve(this.onPart));
    this.nodes.unobserveDeep(this.onNodes);
  }

  /** Whether something changed since the last reading. */
  get changed(): boolean {
    return this.changedParts.size > 0 || this.changedNodes.size > 0;
  }

  /** The file's own text where it differs from ours; "" otherwise. */
  get source(): string {
    return this.meta.get('source') ?? '';
  }

  set source(text: string) {
    if (text) {
      this.meta.set('source', text);
    } else if (this.meta.has('source')) {
      this.meta.delete('source');
    }
  }

  private readonly onPart = (event: unknown): void => {
    this.changedParts.add((event as { target: unknown }).target);
  };

  private readonly onNodes = (events: readonly Y.YEvent<Y.AbstractType<unknown>>[]): void => {
    for (const event of events) {
      if (event.target === this.nodes) {
        event.changes.keys.forEach((_, id) => this.changedNodes.add(id));
      } else {
        this.changedNodes.add(String(event.path[0]));
      }
    }
  };

  /**
   * The least changes that lead from the flow that the document holds to another one.
   *
   * @throws FlowFileError The other one could not stand in a file; nothing has been changed.
   */
  changes(before: Flow, after: Flow): Write[] {
    checkCounts(after);
    for (const key of ['parameters', 'nodes', 'layout', 'notes', 'groups'] as const) {
      inheritSpelling(before[key] as Json, after[key] as Json);
    }
    return [
      ...this.nodeChanges(before.nodes, after.nodes),
      ...(before.edges === after.edges ? [] : this.edgeChanges(before.edges, after.edges)),
      ...(before.layout === after.layout
        ? []
        : this.layout.changes(positions(before.layout), positions(after.layout))),
      ...(before.notes === after.notes
        ? []
        : this.notes.changes(byId(before.notes), byId(after.notes))),
      ...(before.groups === after.groups
        ? []
        : this.groups.changes(byId(before.groups), byId(after.groups))),
      ...this.metaChanges(before, after)
    ];
  }

  private nodeChanges(before: Flow['nodes'], after: Flow['nodes']): Write[] {
    if (before === after) {
      return [];
    }
    const ids = keysOf(after);
    const changed = ids.filter(id => after[id] !== before[id]);
    const gone = [...this.nodes.keys()].filter(id => after[id] === undefined);
    return [
      ...changed.flatMap(id => this.fieldChanges(id, after[id] as FlowNode)),
      ...gone.map(id => () => this.nodes.delete(id)),
      ...sequenceChanges(this.order, ids)
    ];
  }

  private fieldChanges(id: string, node: FlowNode): Write[] {
    const fault = nodeIdFault(id);
    if (fault) {
      throw new FlowFileError(fault, 'nodes');
    }
    const leaves = nodeLeaves(node, this.leaves.get(id), `nodes.${id}`);
    const keep = (): unknown => this.leaves.set(id, leaves);
    const present = this.nodes.get(id);
    if (!present) {
      const texts = [...leaves].map(([key, { text }]): [string, string] => [key, text]);
      return [() => this.nodes.set(id, new Y.Map(texts)), keep];
    }
    const changed = [...leaves].filter(([key, { text }]) => present.get(key) !== text);
    const gone = [...present.keys()].filter(key => !leaves.has(key));
    const writes = [
      ...changed.map(
        ([key, { text }]) =>
          () =>
            void present.set(key, text)
      ),
      ...gone.map(key => () => present.delete(key))
    ];
    return writes.length ? [...writes, keep] : [];
  }

  private edgeChanges(before: readonly Edge[], after: readonly Edge[]): Write[] {
    const known = new Set(before);
    const texts = after.map((edge, index) => {
      const text = edgeText(edge);
      return known.has(edge) ? text : edgeText(parseEdge(text, `edges[${index}]`));
    });
    return sequenceChanges(this.edges, texts);
  }

  private metaChanges(before: Flow, after: Flow): Write[] {
    return META.flatMap(key => {
      const value: Json | undefined = after[key];
      if (value === before[key]) {
        return [];
      }
      if (value === undefined || (key !== 'outputs' && isEmpty(value))) {
        return this.meta.has(key) ? [() => this.meta.delete(key)] : [];
      }
      const text = checkedLine(value);
      return this.meta.get(key) === text ? [] : [() => void this.meta.set(key, text)];
    });
  }

  /**
   * The flow that the document holds; parts that did not change since `before` are the same objects.
   *
   * @throws FlowFileError It holds what could not stand in a file.
   */
  read(before: Flow): Flow {
    const has = (...parts: unknown[]): boolean => parts.some(part => this.changedParts.has(part));
    const { layout, notes, groups } = this;
    const flow: Flow = {
      ...(has(this.meta) ? this.readMeta() : metaOf(before)),
      nodes:
        this.changedNodes.size || has(this.order) ? this.readNodes(before.nodes) : before.nodes,
      edges: has(this.edges) ? this.readEdges(before.edges) : before.edges,
      layout: has(layout.map, layout.order) ? layoutOf(layout.values()) : before.layout,
      notes: has(notes.map, notes.order) ? [...notes.values().values()] : before.notes,
      groups: has(groups.map, groups.order) ? [...groups.values().values()] : before.groups
    };
    this.changedNodes.clear();
    this.changedParts.clear();
    return flow;
  }

  private readNodes(before: Flow['nodes']): Flow['nodes'] {
    const nodes: Record<string, FlowNode> = {};
    for (const id of orderedKeys(this.order, this.nodes)) {
      const known = before[id];
      nodes[id] = known && !this.changedNodes.has(id) ? known : this.readNode(id, known);
    }
    return nodes;
  }

  private readNode(id: string, before: FlowNode | undefined): FlowNode {
    const known = this.leaves.get(id);
    const leaves = new Map<string, Leaf>();
    (this.nodes.get(id) as Y.Map<string>).forEach((text, key) => {
      const leaf = known?.get(key);
      leaves.set(key, leaf?.text === text ? leaf : readLeaf(text));
    });
    this.leaves.set(id, leaves);
    return nodeOf(leaves, before, `nodes.${id}`);
  }

  private readEdges(before: readonly Edge[]): readonly Edge[] {
    const known = new Map(before.map(edge => [edgeText(edge), edge]));
    return this.edges
      .toArray()
      .map((text, index) => known.get(text) ?? parseEdge(text, `edges[${index}]`));
  }

  private readMeta(): MetaFields {
    const leaves = new Map<string, Leaf>();
    for (const key of META) {
      const text = this.meta.get(key);
      const known = this.metaLeaves.get(key);
      if (text !== undefined) {
        leaves.set(key, known?.text === text ? known : readLeaf(text));
      }
    }
    this.metaLeaves = leaves;
    const values = Object.fromEntries([...leaves].map(([key, { value }]) => [key, value]));
    return { ...metaOf(EMPTY_FLOW), ...values } as MetaFields;
  }
}

type MetaFields = Pick<Flow, 'name' | 'parameters' | 'outputs' | '$schema'>;

function metaOf({ name, parameters, outputs, $schema }: Flow): MetaFields {
  return {
    name,
    parameters,
    ...(outputs ? { outputs } : {}),
    ...($schema ? { $schema } : {})
  };
}

/** A node field by field; what is the same value as before keeps its text. */
function nodeLeaves(node: FlowNode, before: Leaves | undefined, place: string): Leaves {
  const data = nodeData(node);
  nodeFromData(data, place);
  const leaves = new Map<string, Leaf>();
  const put = (key: string, leaf: Leaf): void => {
    const known = before?.get(key);
    const same = known !== undefined && known.text === leaf.text;
    leaves.set(key, same ? known : checkedLeaf(leaf));
  };
  for (const [key, leaf] of leavesOf(data)) {
    if (key === CONFIG) {
      const fields = leavesOf(leaf.value as JsonObject);
      const names = fields.map(([name]) => name);
      put(CONFIG, { value: names, text: jsonLine(names) });
      fields.forEach(([name, field]) => put(`${CONFIG}.${name}`, field));
    } else {
      put(key, leaf);
    }
  }
  return leaves;
}

function nodeOf(leaves: Leaves, before: FlowNode | undefined, place: string): FlowNode {
  const config = configOf(leaves, before?.config);
  const fields = [...leaves].filter(([key]) => key !== CONFIG && !key.startsWith(`${CONFIG}.`));
  const whole = config ? [...fields, [CONFIG, config] as const] : fields;
  return nodeData(nodeFromData(objectOf(whole), place)) as unknown as FlowNode;
}

/** The configuration as one leaf; the object of before where it says the same. */
function configOf(leaves: Leaves, before: JsonObject | undefined): Leaf | null {
  const prefix = `${CONFIG}.`;
  const present = [...leaves.keys()].filter(key => key.startsWith(prefix)).sort();
  if (!present.length) {
    return null;
  }
  const order = (leaves.get(CONFIG)?.value ?? []) as readonly string[];
  const keys = new Set([...order.map(name => prefix + name), ...present]);
  const fields = [...keys].flatMap(key => {
    const leaf = leaves.get(key);
    return leaf ? [[key.slice(prefix.length), leaf] as const] : [];
  });
  const made = objectOf(fields);
  return { value: before && isSame(before, made) ? before : made, text: '' };
}

function isSame(one: JsonObject, other: JsonObject): boolean {
  const [mine, yours] = [leavesOf(one), leavesOf(other)];
  return (
    mine.length === yours.length &&
    mine.every(([key, leaf], index) => {
      const [name, match] = yours[index] as [string, Leaf];
      return key === name && leaf.value === match.value && leaf.text === match.text;
    })
  );
}

function layoutOf(positions: ReadonlyMap<string, Position>): Flow['layout'] {
  const leaves = [...positions].map(([id, value]): [string, Leaf] => [id, { value, text: '' }]);
  return objectOf(leaves) as Flow['layout'];
}

function positions(layout: Flow['layout']): ReadonlyMap<string, Position> {
  return new Map(keysOf(layout).map(id => [id, layout[id] as Position]));
}

function byId<T extends { readonly id: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map(item => [item.id, item]));
}

function isEmpty(value: Json): boolean {
  return typeof value === 'object' && value !== null ? !Object.keys(value).length : !value;
}

/** The text of a value that may stand in a file. @throws FlowFileError It may not. */
function checkedLine(value: Json): string {
  const text = jsonLine(value);
  parseJson(text);
  return text;
}

function checkedLeaf(leaf: Leaf): Leaf {
  parseJson(leaf.text);
  return leaf;
}
