/** Edits of a flow's parameters. */
import type { Catalog } from '../catalog';
import { type Flow, type FlowNode, type JsonObject, PARAMS } from '../flow';
import { isName } from '../names';
import { EditError } from '../sentence';
import { replacePaths } from '../template';
import { setNode } from './nodes';
import { without } from './records';

/** Add a parameter, a text at first. @throws EditError when the name is taken or not allowed */
export function addParameter(flow: Flow, name: string): Flow {
  checkFree(flow, name);
  return setParameter(flow, name, { type: 'string' });
}

/** Add a parameter or change its JSON Schema. @throws EditError when the name is not allowed */
export function setParameter(flow: Flow, name: string, spec: JsonObject): Flow {
  if (Object.hasOwn(flow.parameters, name) && flow.parameters[name] === spec) {
    return flow;
  }
  checkName(name);
  return { ...flow, parameters: { ...flow.parameters, [name]: spec } };
}

function checkName(name: string): void {
  if (!isName(name)) {
    throw new EditError('Parameter names are Python names, such as {example}.', {
      example: 'start_date'
    });
  }
}

function checkFree(flow: Flow, name: string): void {
  if (Object.hasOwn(flow.parameters, name)) {
    throw new EditError('There is already a parameter called {name}.', { name });
  }
}

/** Remove a parameter and its edges. */
export function removeParameter(flow: Flow, name: string): Flow {
  if (!Object.hasOwn(flow.parameters, name)) {
    return flow;
  }
  const edges = flow.edges.filter(edge => edge.source !== PARAMS || edge.sourcePort !== name);
  return {
    ...flow,
    parameters: without(flow.parameters, new Set([name])),
    edges: edges.length === flow.edges.length ? flow.edges : edges
  };
}

/**
 * Give a parameter another name; edges, templates, expressions and `skip_if` that use it follow.
 * @throws EditError when the name is taken or not allowed
 */
export function renameParameter(flow: Flow, name: string, newName: string, catalog: Catalog): Flow {
  if (name === newName || !Object.hasOwn(flow.parameters, name)) {
    return flow;
  }
  checkName(newName);
  checkFree(flow, newName);
  const parameters = Object.fromEntries(
    Object.entries(flow.parameters).map(([key, spec]) => [key === name ? newName : key, spec])
  );
  const edges = flow.edges.map(edge =>
    edge.source === PARAMS && edge.sourcePort === name ? { ...edge, sourcePort: newName } : edge
  );
  return renameInTexts({ ...flow, parameters, edges }, new Map([[name, newName]]), catalog);
}

/** Write other parameter names into the templates and expressions of all nodes. */
function renameInTexts(flow: Flow, names: ReadonlyMap<string, string>, catalog: Catalog): Flow {
  let next = flow;
  for (const [id, node] of Object.entries(flow.nodes)) {
    next = setNode(next, id, renamedTexts(node, names, catalog));
  }
  return next;
}

/** What changes in a node whose templates and expressions use other parameter names. */
export function renamedTexts(
  node: FlowNode,
  names: ReadonlyMap<string, string>,
  catalog: Catalog
): Partial<FlowNode> {
  const type = catalog.get(node.type);
  const renamed = Object.entries(node.config ?? {}).map(([field, value]) => {
    if (typeof value !== 'string') {
      return [field, value] as const;
    }
    const rename = type?.templates.includes(field) ? inTemplate : inExpression;
    const isText = type?.templates.includes(field) || type?.expressions.includes(field);
    return [field, isText ? rename(value, names) : value] as const;
  });
  const isSame = renamed.every(([field, value]) => value === node.config?.[field]);
  return {
    ...(!isSame && { config: Object.fromEntries(renamed) }),
    ...(node.skip_if !== undefined && { skip_if: inExpression(node.skip_if, names) })
  };
}

function inTemplate(text: string, names: ReadonlyMap<string, string>): string {
  return replacePaths(text, path => {
    const name = path.root === PARAMS ? names.get(path.parameter) : undefined;
    return name === undefined ? undefined : `{{${PARAMS}.${name}${path.rest}}}`;
  });
}

const STRING_OR_PARAMETER =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?<![\p{L}\p{N}_.])params\s*(?:\.\s*([\p{L}_][\p{L}\p{N}_]*)|\[\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*\])/gsu;

function inExpression(text: string, names: ReadonlyMap<string, string>): string {
  return text.replace(
    STRING_OR_PARAMETER,
    (written: string, attribute?: string, key?: string, key2?: string) => {
      const name = names.get(attribute ?? key ?? key2 ?? '');
      return name === undefined ? written : `${PARAMS}.${name}`;
    }
  );
}
