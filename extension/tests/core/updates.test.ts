import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { FlowDocument } from '../../src/core/document';
import vectors from '../vectors/flows.json';

interface Update {
  readonly what: string;
  /** The whole shared document, base64. */
  readonly update: string;
  readonly text: string;
}

/** Documents as the canvas writes them, for the Python side to read; always the same bytes. */
function updates(): Update[] {
  const texts = vectors.flatMap(({ text }) => (text ? [text] : []));
  const plain = texts.filter((_, index) => index % 7 === 0).map(text => document(text));
  return [...plain, edited(texts), document('{')].map(([what, made]) => ({
    what,
    update: Buffer.from(Y.encodeStateAsUpdate(made.ydoc)).toString('base64'),
    text: made.text()
  }));
}

function document(text: string): [string, FlowDocument] {
  const ydoc = new Y.Doc();
  ydoc.clientID = 1;
  const made = new FlowDocument({ ydoc });
  made.load(text);
  return [text.slice(0, 80), made];
}

function edited(texts: readonly string[]): [string, FlowDocument] {
  const [, made] = document(texts.at(-1) as string);
  made.edit('Add', flow => ({
    ...flow,
    nodes: { b: { type: 'm', config: { z: 1, y: 0.5 } }, ...flow.nodes },
    layout: { b: [-56, 0], a: [1.5, 2] },
    notes: [{ id: 'n', text: 'x', x: 1, y: 2, width: 3, height: 4 }]
  }));
  made.edit('Remove', flow => ({ ...flow, layout: { a: [1, 2] } }));
  made.undo();
  return ['edited and undone', made];
}

test('the updates that Python reads are those that are written today', async () => {
  const text = JSON.stringify(updates(), null, 1) + '\n';
  await expect(text).toMatchFileSnapshot('../vectors/updates.json');
});
