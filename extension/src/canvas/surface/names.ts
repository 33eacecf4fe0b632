/** What things on the surface are called, for those who hear them. */
import type { NodeType } from '../../core/catalog';
import type { Edge, FlowNode, Group, Note } from '../../core/flow';
import type { Trans } from '../../core/i18n';
import { shorten, visible } from '../../core/text';

/** Characters of a note's first line that are read before its text. */
const LINE = 60;

export interface Names {
  readonly params: string;
  node(id: string, node: FlowNode, type: NodeType | null): string;
  note(note: Note): string;
  group(group: Group): string;
  wire(edge: Edge): string;
  /** What such a thing is, said after its name. */
  readonly kinds: Readonly<Record<'node' | 'note' | 'group' | 'wire', string>>;
}

export function namesIn(trans: Trans): Names {
  return {
    params: trans('Parameters'),
    node: (id, node, type) => {
      const title = node.title || type?.title || id;
      return title === id ? id : trans('{title}, node {id}', { title, id });
    },
    note: ({ text }) => {
      const line = text.split('\n').find(part => /[\p{L}\p{N}]/u.test(part)) ?? '';
      const title = visible(shorten(line.replace(/^[#>*\s-]+/, ''), LINE));
      return title ? trans('Note: {title}', { title }) : trans('Empty note');
    },
    group: ({ title, nodes }) =>
      trans('Group {title}: {nodes}', { title, nodes: nodes.join(', ') }),
    wire: edge =>
      trans('Connection from {source} to {target}', {
        source: `${edge.source}.${edge.sourcePort}`,
        target: `${edge.target}.${edge.targetPort}`
      }),
    kinds: {
      node: trans('node'),
      note: trans('note'),
      group: trans('group'),
      wire: trans('connection')
    }
  };
}
