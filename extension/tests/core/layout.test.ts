import ELK from 'elkjs/lib/elk.bundled.js';
import { describe, expect, it } from 'vitest';
import { group } from '../../src/core/edits/groups';
import { type ElkApi, arrange } from '../../src/core/layout';
import { type Flow, PARAMS } from '../../src/core/flow';
import { flow } from './flows';

const chain = (count: number): Flow =>
  flow(
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`n${at}`, 'delay'])),
    Array.from({ length: count - 1 }, (_, at) => `n${Math.floor(at / 2)}.out -> n${at + 1}.value`)
  );

function expectTidy(made: Flow): void {
  for (const { source, target } of made.edges) {
    if (source !== PARAMS) {
      expect(made.layout[source]?.[0]).toBeLessThan(made.layout[target]?.[0] ?? 0);
    }
  }
  const places = Object.values(made.layout).map(at => at.join());
  expect(new Set(places).size).toBe(places.length);
}

describe('arrange', () => {
  it('places nodes from left to right', async () => {
    const made = await arrange(chain(20), new Map());
    expectTidy(made);
    expect(Math.min(...Object.values(made.layout).map(at => at[0]))).toBe(0);
  });

  it('arranges a selection and leaves the rest', async () => {
    const made = chain(6);
    const next = await arrange(made, new Map(), undefined, ['n1', 'n3', 'n4']);
    expect(next.layout.n0).toBe(made.layout.n0);
    expect(next.layout.n5).toBe(made.layout.n5);
    expect(next.layout.n1?.[0]).toBe(300);
    expect(next.layout.n3?.[0]).toBeGreaterThan(300);
  });

  it('keeps groups together', async () => {
    const made = group(chain(9), ['n3', 'n4'], 'G').flow;
    expectTidy(await arrange(made, new Map()));
  });

  it('asks for ELK only when there are many nodes', async () => {
    let loads = 0;
    const load = (): Promise<ElkApi> => {
      loads += 1;
      return Promise.resolve(new ELK() as unknown as ElkApi);
    };
    await arrange(chain(300), new Map(), load);
    expect(loads).toBe(0);
    const made = group(chain(320), ['n3', 'n4'], 'G').flow;
    expectTidy(await arrange(made, new Map(), load));
    expect(loads).toBe(1);
  });

  it('changes nothing where there is nothing', async () => {
    const made = chain(3);
    expect(await arrange(made, new Map(), undefined, [])).toBe(made);
  });
});
