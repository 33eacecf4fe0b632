/** Edits of groups. A node is in one group at most. */
import type { Flow } from '../flow';
import { freeName } from '../fresh';
import { type Added, ungrouped } from './nodes';

/** Put nodes into a new group; they leave the groups that they were in. */
export function group(flow: Flow, ids: Iterable<string>, title: string): Added {
  const nodes = [...new Set(ids)].filter(id => Object.hasOwn(flow.nodes, id));
  const id = freeName('group', name => flow.groups.some(other => other.id === name));
  if (nodes.length === 0) {
    return { flow, id: '' };
  }
  const groups = [...ungrouped(flow, new Set(nodes)), { id, title, nodes }];
  return { flow: { ...flow, groups }, id };
}

/** Dissolve groups; the id of a node stands for the group that holds it. */
export function ungroup(flow: Flow, ids: Iterable<string>): Flow {
  const named = new Set(ids);
  const groups = flow.groups.filter(
    ({ id, nodes }) => !named.has(id) && !nodes.some(node => named.has(node))
  );
  return groups.length === flow.groups.length ? flow : { ...flow, groups };
}

/** Name a group for people. */
export function renameGroup(flow: Flow, id: string, title: string): Flow {
  if (!flow.groups.some(found => found.id === id && found.title !== title)) {
    return flow;
  }
  const groups = flow.groups.map(found => (found.id === id ? { ...found, title } : found));
  return { ...flow, groups };
}
