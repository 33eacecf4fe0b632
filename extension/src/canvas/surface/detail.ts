/**
 * How much of a large flow is shown. From afar its cards are plain boxes; near by, those in sight are
 * shown whole, a few more with each frame, so that moving the view never waits for them.
 */
import { Store } from '../../core/store';
import type { Schedule } from '../../core/runs';
import type { Box } from './geometry';

/** What is shown whole of a large flow. */
export interface Near {
  /** Ids of the cards. */
  readonly cards: ReadonlySet<string>;
  /** Where they were looked for; null: the flow is seen from afar. */
  readonly region: Box | null;
}

export const FROM_AFAR: Near = { cards: new Set(), region: null };

/** The part of a view, on each side, by which more than what is in sight is made ready. */
const MARGIN = 0.1;
/** Cards that are made whole in one frame. */
const BATCH = 16;
/** Most cards that are whole at a time. */
const MOST = 400;

const frame: Schedule = next => void requestAnimationFrame(next);

/** A flow as far as it matters here. */
export interface Contents {
  readonly boxes: ReadonlyMap<string, Box>;
  /** The cards that are wired to one: wires are drawn by hand only between whole cards. */
  readonly neighbours: (id: string) => readonly string[];
}

export class Detail {
  readonly near = new Store<Near>(FROM_AFAR);
  private wanted: readonly string[] = [];
  private waiting = false;

  constructor(private readonly schedule: Schedule = frame) {}

  /** Show what is in a view of the flow; nothing happens while it stays where it was looked for. */
  look(view: Box, contents: Contents): void {
    const { region } = this.near.get();
    if (!region || !contains(region, view) || view.width * 2 < region.width) {
      this.renew(view, contents);
    }
  }

  /** Look again, as the flow has changed. */
  renew(view: Box, { boxes, neighbours }: Contents): void {
    const region = grown(view);
    const inside = [...boxes].flatMap(([id, box]) => (meet(region, box) ? id : []));
    const wanted = new Set([...inside, ...inside.flatMap(neighbours)]);
    this.wanted = [...wanted].slice(0, MOST);
    const before = this.near.get().cards;
    const kept = this.wanted.filter(id => before.has(id));
    const same = kept.length === before.size;
    this.near.set({ cards: same ? before : new Set(kept), region });
    this.later();
  }

  /** The flow is seen from afar. */
  leave(): void {
    this.wanted = [];
    this.near.set(FROM_AFAR);
  }

  private later(): void {
    if (!this.waiting && this.near.get().cards.size < this.wanted.length) {
      this.waiting = true;
      this.schedule(() => this.fill());
    }
  }

  private fill(): void {
    this.waiting = false;
    const { cards, region } = this.near.get();
    const more = this.wanted.filter(id => !cards.has(id)).slice(0, BATCH);
    if (more.length > 0) {
      this.near.set({ cards: new Set([...cards, ...more]), region });
    }
    this.later();
  }
}

/** Whether two boxes have a point in common. */
export function meet(one: Box, other: Box): boolean {
  return (
    one.x <= other.x + other.width &&
    other.x <= one.x + one.width &&
    one.y <= other.y + other.height &&
    other.y <= one.y + one.height
  );
}

function contains(outer: Box, inner: Box): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

function grown({ x, y, width, height }: Box): Box {
  const [dx, dy] = [width * MARGIN, height * MARGIN];
  return { x: x - dx, y: y - dy, width: width + 2 * dx, height: height + 2 * dy };
}
