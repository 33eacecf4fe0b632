/**
 * Where nodes without a place are shown: flows that were built in code have no layout. The places
 * are for the eye; they are stored only with an edit that places something.
 */
import type { Flow } from './flow';
import { edgesInto, ordered } from './graph';

type Place = readonly [x: number, y: number];

/** From one rank, and one row, to the next, in pixels; a row has room for what a card shows. */
const COLUMN = 320;
const ROW = 360;

const known = new WeakMap<Flow, Flow>();

/** The flow with a place for every node; itself when each has one. */
export function placed(flow: Flow): Flow {
  let found = known.get(flow);
  if (!found) {
    const missing = Object.keys(flow.nodes).filter(id => !Object.hasOwn(flow.layout, id));
    found = missing.length > 0 ? withPlaces(flow, missing) : flow;
    known.set(flow, found);
  }
  return found;
}

/** Edit a flow as it is shown; places that the edit does not touch stay out of it. */
export function editPlaced(flow: Flow, change: (flow: Flow) => Flow): Flow {
  const shown = placed(flow);
  const next = change(shown);
  if (next === shown) {
    return flow;
  }
  return next.layout === shown.layout ? { ...next, layout: flow.layout } : next;
}

/** Below what has a place, a column for each rank. */
function withPlaces(flow: Flow, missing: readonly string[]): Flow {
  const wanted = new Set(missing);
  const order = [...new Set([...ordered(flow), ...missing])].filter(id => wanted.has(id));
  const corners = Object.keys(flow.nodes)
    .map(id => flow.layout[id])
    .filter(at => at !== undefined);
  const left = corners.length > 0 ? Math.min(...corners.map(([x]) => x)) : 0;
  const top = corners.length > 0 ? Math.max(...corners.map(([, y]) => y)) + ROW : 0;
  const layout: Record<string, Place> = { ...flow.layout };
  for (const [id, [column, row]] of cells(flow, order)) {
    layout[id] = [left + column * COLUMN, top + row * ROW];
  }
  return { ...flow, layout };
}

/** A column and a row for each node; rows follow those of what feeds the node. */
function cells(flow: Flow, order: readonly string[]): Map<string, Place> {
  const columns = ranked(flow, order);
  const tallest = Math.max(...columns.map(column => column.length));
  const found = new Map<string, Place>();
  columns.forEach((column, rank) => {
    const wish = new Map(column.map(id => [id, mean(rowsAbove(flow, id, found))]));
    const top = (tallest - column.length) / 2;
    [...column]
      .sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0))
      .forEach((id, row) => found.set(id, [rank, top + row]));
  });
  return found;
}

function ranked(flow: Flow, order: readonly string[]): string[][] {
  const ranks = new Map<string, number>();
  const columns: string[][] = [];
  for (const id of order) {
    const above = edgesInto(flow, id).map(edge => ranks.get(edge.source) ?? -1);
    const rank = Math.max(-1, ...above) + 1;
    ranks.set(id, rank);
    (columns[rank] ??= []).push(id);
  }
  return columns;
}

function rowsAbove(flow: Flow, id: string, found: ReadonlyMap<string, Place>): number[] {
  return edgesInto(flow, id).flatMap(edge => {
    const place = found.get(edge.source);
    return place ? [place[1]] : [];
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
