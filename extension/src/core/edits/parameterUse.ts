/** Where the settings of a node use the flow's parameters. */
import type { Catalog } from '../catalog';
import { type FlowNode, type Json, PARAMS } from '../flow';
import { templatePaths } from '../template';

const PARAMS_WORD = /(?<![\p{L}\p{N}_])params(?![\p{L}\p{N}_])/u;

export interface ParameterUse {
  /** Used in a template: `{{params.x}}`. */
  readonly inTemplate: boolean;
  /** Used in an expression or `skip_if`. */
  readonly inExpression: boolean;
  /** Used in code: `ctx.params["x"]`, or `$x` in SQL. */
  readonly inCode: boolean;
}

/** How a node uses a parameter, edges aside. */
export function parameterUse(node: FlowNode, name: string, catalog: Catalog): ParameterUse {
  const type = catalog.get(node.type);
  const config = node.config ?? {};
  const others = Object.keys(config).filter(
    field =>
      !type?.templates.includes(field) &&
      !type?.expressions.includes(field) &&
      !type?.bodies.includes(field)
  );
  const text = (field: string): string => (typeof config[field] === 'string' ? config[field] : '');
  return {
    inTemplate: (type?.templates ?? []).some(field => isInTemplate(text(field), name)),
    inExpression: [node.skip_if ?? '', ...(type?.expressions ?? []).map(text)].some(expression =>
      isInCode(expression, name)
    ),
    inCode: others.some(field => texts(config[field] ?? null).some(code => isInCode(code, name)))
  };
}

/** Whether a node uses a parameter in any of its settings. */
export function isUsed(node: FlowNode, name: string, catalog: Catalog): boolean {
  const { inTemplate, inExpression, inCode } = parameterUse(node, name, catalog);
  return inTemplate || inExpression || inCode;
}

function isInTemplate(text: string, name: string): boolean {
  return (templatePaths(text) ?? []).some(path => path.root === PARAMS && path.parameter === name);
}

function isInCode(text: string, name: string): boolean {
  const word = new RegExp(`(\\$?)(?<![\\p{L}\\p{N}_])${name}(?![\\p{L}\\p{N}_])`, 'gu');
  const hasParams = PARAMS_WORD.test(text);
  return [...text.matchAll(word)].some(([, dollar]) => dollar === '$' || hasParams);
}

function texts(value: Json): string[] {
  if (typeof value === 'string') {
    return [value];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}
