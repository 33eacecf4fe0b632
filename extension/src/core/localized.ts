/** Node types in the reader's language: our own pack's. Others are shown as their authors wrote them. */
import type { NodeType } from './catalog';
import type { JsonObject } from './flow';
import type { Trans } from './i18n';

/** The pack whose texts are in our translations. */
const OURS = 'iaiflow-lab';

/** What stands between two paragraphs of a help text. */
const BREAK = '\n\n';

/** The paragraphs of a node type's help, each a message of its own; the first is the summary. */
export function paragraphs(help: string): string[] {
  return help.split(BREAK);
}

/** A node type with its title, its help, and the names and help of its fields translated. */
export function localized(type: NodeType, trans: Trans): NodeType {
  const { kind, name } = type.source;
  if (kind !== 'pack' || name.split(' ')[0] !== OURS) {
    return type;
  }
  return {
    ...type,
    title: said(trans, type.title),
    summary: said(trans, type.summary),
    help: paragraphs(type.help)
      .map(text => said(trans, text))
      .join(BREAK),
    inputs: type.inputs.map(port => ({ ...port, help: said(trans, port.help) })),
    config: withFields(type.config, trans)
  };
}

function withFields(schema: JsonObject, trans: Trans): JsonObject {
  const fields = Object.entries((schema.properties ?? {}) as Record<string, JsonObject>);
  const properties = fields.map(([name, { title, description, ...rest }]) => [
    name,
    {
      ...rest,
      ...(typeof title === 'string' ? { title: said(trans, title) } : {}),
      ...(typeof description === 'string' ? { description: said(trans, description) } : {})
    }
  ]);
  return { ...schema, properties: Object.fromEntries(properties) as JsonObject };
}

function said(trans: Trans, text: string): string {
  return text && trans(text);
}
