/** A scene with as much of each card as one can see. */
import type { AnyNode, CardData, CardNode, Level } from './scene';

/** Remembers what it made, so that an unchanged card at the same level is the same object. */
export class Levels {
  private readonly cards = caches<CardNode>();
  private readonly data = caches<CardData>();

  apply(nodes: readonly AnyNode[], levelOf: (id: string) => Level): AnyNode[] {
    return nodes.map(node => (node.type === 'card' ? this.at(node, levelOf(node.id)) : node));
  }

  private at(card: CardNode, level: Level): CardNode {
    if (card.data.level === level) {
      return card;
    }
    const make = (): CardNode => ({ ...card, data: this.dataAt(card.data, level) });
    return remembered(this.cards[level], card, make);
  }

  private dataAt(data: CardData, level: Level): CardData {
    return remembered(this.data[level], data, () => ({ ...data, level }));
  }
}

type Caches<T extends object> = Readonly<Record<Level, WeakMap<T, T>>>;

function caches<T extends object>(): Caches<T> {
  return { whole: new WeakMap(), plain: new WeakMap(), box: new WeakMap() };
}

function remembered<T extends object>(cache: WeakMap<T, T>, key: T, make: () => T): T {
  const value = cache.get(key) ?? make();
  cache.set(key, value);
  return value;
}
