import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dumpFlow, flowData, flowFromData, FlowFileError, parseFlow } from '../../src/core/file';
import { jsonLine, parseJson } from '../../src/core/json';
import vectors from '../vectors/flows.json';

interface Answer {
  readonly source: string;
  readonly text?: string;
  readonly message?: string;
  readonly where?: string;
  readonly remedy?: string;
}

function answer(source: string): Answer {
  try {
    return { source, text: dumpFlow(parseFlow(source)) };
  } catch (error) {
    if (!(error instanceof FlowFileError)) {
      throw error;
    }
    const { message, where, remedy } = error;
    return { source, message, where, remedy };
  }
}

test.each(vectors as readonly Answer[])('Python answers the same: $source', expected => {
  expect(answer(expected.source)).toEqual(expected);
});

/** Whether a flow file may hold it: no hidden characters in keys, nothing too deep. */
function isHoldable(value: unknown): boolean {
  try {
    parseJson(jsonLine(value as never));
    return true;
  } catch {
    return false;
  }
}

const json = fc.jsonValue({ noUnicodeString: false, maxDepth: 4 } as object);

test('JSON comes back as it was', () => {
  fc.assert(
    fc.property(json, value => {
      const text = jsonLine(value as never);
      if (!isHoldable(value)) {
        return;
      }
      // JSON.stringify knows no -0; ours keeps it, as Python does.
      const read = parseJson(text);
      expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify(value)));
      expect(jsonLine(parseJson(text))).toBe(text);
    })
  );
});

test('what was written is read as the same flow and written as the same text', () => {
  const field = fc.tuple(fc.stringMatching(/^([a-z]|\d+)$/), json);
  const config = fc.array(field).map(fields => Object.fromEntries(fields));
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), config), configs => {
      fc.pre(isHoldable(configs));
      const nodes = Object.entries(configs).filter(([id]) => id !== 'params');
      const data = {
        format: 'iaiflow/1',
        nodes: Object.fromEntries(
          nodes.map(([id, fields]) => [id, { type: 'any', config: fields }])
        )
      };
      const text = dumpFlow(flowFromData(data as never));
      expect(dumpFlow(parseFlow(text))).toBe(text);
      expect(flowFromData(flowData(parseFlow(text)))).toEqual(parseFlow(text));
    })
  );
});

test('the same data are the same flow, and a nested one needs no format', () => {
  const data = { nodes: { a: { type: 'any' } } };
  expect(flowFromData(data, true)).toBe(flowFromData(data, true));
  expect(() => flowFromData(data)).toThrow("'format' is missing");
});

test('a file that is too large is refused with its size', () => {
  const text = `{"format": "iaiflow/1", "name": "${'x'.repeat(5_000_000)}"}`;
  expect(() => parseFlow(text)).toThrow('Flow files may be 5 MB at most; this is 5.0 MB.');
  const flow = { ...parseFlow('{"format": "iaiflow/1"}'), name: 'é'.repeat(2_500_000) };
  expect(() => dumpFlow(flow)).toThrow('this is 5.0 MB.');
});
