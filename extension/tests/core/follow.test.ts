import { beforeEach, describe, expect, it } from 'vitest';
import { Controller } from '../../src/core/controller';
import { FlowDocument } from '../../src/core/document';
import { disconnect } from '../../src/core/edits/edges';
import { removeNodes } from '../../src/core/edits/nodes';
import { followDocument } from '../../src/core/follow';
import type { Services } from '../../src/core/services';

const TEXT = `{
  "format": "iaiflow/1",
  "nodes": {
    "a": {"type": "make"},
    "each": {"type": "map", "config": {"body": {"nodes": {"inner": {"type": "make"}}, "edges": []}}},
    "c": {"type": "take"}
  },
  "edges": ["a.out -> each.items", "each.out -> c.text"],
  "layout": {"a": [0, 0], "each": [300, 10], "c": [600, 20]}
}
`;

let document: FlowDocument;
let controller: Controller;
let end: () => void;

beforeEach(() => {
  document = new FlowDocument();
  document.load(TEXT);
  const services = { trans: (text: string) => text } as unknown as Services;
  controller = new Controller({ document, services, builtin: new Map(), mode: 'document' });
  end = followDocument(controller);
});

describe('a view follows its document', () => {
  it('keeps the same edge selected when another one goes', () => {
    controller.select([], [1]);
    document.edit('Disconnect', flow => disconnect(flow, [0]));
    expect([...controller.view.get().edges]).toEqual([0]);
    document.undo();
    expect([...controller.view.get().edges]).toEqual([1]);
  });

  it('lets go of an edge that is gone', () => {
    controller.select(['a'], [1]);
    document.edit('Disconnect', flow => disconnect(flow, [1]));
    expect(controller.view.get().edges.size).toBe(0);
    expect([...controller.view.get().selection]).toEqual(['a']);
  });

  it('leaves a nested flow whose node is gone, so that edits are not lost in it', () => {
    controller.openBody('each', 'body');
    expect(Object.keys(controller.flow.nodes)).toEqual(['inner']);
    document.edit('Delete', flow => removeNodes(flow, ['each']));
    expect(controller.view.get().scope).toEqual([]);
    expect(Object.keys(controller.flow.nodes)).toEqual(['a', 'c']);
  });

  it('stays in an empty body', () => {
    document.edit('Empty', flow => ({
      ...flow,
      nodes: { ...flow.nodes, each: { type: 'map' } }
    }));
    controller.openBody('each', 'body');
    document.edit('Delete', flow => removeNodes(flow, ['c']));
    expect(controller.view.get().scope).toEqual([['each', 'body']]);
  });

  it('stops when it is told to', () => {
    controller.select([], [1]);
    end();
    document.edit('Disconnect', flow => disconnect(flow, [0]));
    expect([...controller.view.get().edges]).toEqual([1]);
  });
});

it('takes no edits while the file cannot be read', () => {
  document.load('not a flow');
  expect(document.state.get().fault).not.toBe('');
  expect(controller.readOnly).toBe(true);
});
