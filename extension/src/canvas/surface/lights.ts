/** While a wire is drawn: which ports it may end at. */
import type { Catalog } from '../../core/catalog';
import type { Controller, Wire } from '../../core/controller';
import type { Flow } from '../../core/flow';
import { connectable, type Verdict } from '../../core/ports';
import { Store } from '../../core/store';

export class Lights {
  private readonly verdicts = new Map<string, Verdict>();

  constructor(
    readonly from: Wire,
    private readonly flow: Flow,
    private readonly catalog: Catalog
  ) {}

  /** Whether the wire may end there, and why not. */
  verdict(end: Wire): Verdict {
    const key = `${end.side} ${end.node}.${end.port}`;
    let verdict = this.verdicts.get(key);
    if (!verdict) {
      verdict = connectable(this.flow, this.catalog, this.from, end);
      this.verdicts.set(key, verdict);
    }
    return verdict;
  }
}

export type Gesture = 'pan' | 'zoom';

/** What the parts of one surface share, beside the controller. */
export class Shared {
  /** The wire that is drawn; null: none. */
  readonly lights = new Store<Lights | null>(null);
  /** The end that the keyboard has chosen for a wire. */
  readonly aim = new Store<Wire | null>(null);
  /** The wire that what is dragged would be put into. */
  readonly splice = new Store<string | null>(null);
  /** How the view is being moved; null: it rests. */
  readonly gesture = new Store<Gesture | null>(null);
  /** Opens the menu of commands. */
  readonly menu = new Store<MenuAt | null>(null);
  /** Why something was refused, where it was. */
  readonly refusal = new Store<Refusal | null>(null);

  constructor(readonly controller: Controller) {}

  /** Light up the ports that a wire may end at. */
  light(from: Wire, flow = this.controller.flow): void {
    this.lights.set(new Lights(from, flow, this.controller.catalog.get()));
  }
}

export interface MenuAt {
  /** In pixels of the surface. */
  readonly x: number;
  readonly y: number;
  readonly about: 'node' | 'edge' | 'surface' | 'note' | 'group';
}

export interface Refusal {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}
