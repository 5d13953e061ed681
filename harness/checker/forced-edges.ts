/**
 * @module Edges that every commit order must have: t2 before t1, because a reader that knows of t2
 * reads a key that t2 writes from t1.
 */
import { Int32List } from "./int32-list.ts";

export interface ForcedEdge {
  readonly from: number;
  readonly to: number;
  readonly reader: number;
  readonly key: number;
}

export class ForcedEdges {
  readonly #from = new Int32List();
  readonly #to = new Int32List();
  readonly #reader = new Int32List();
  readonly #key = new Int32List();
  #initialCount = 0;

  get count(): number {
    return this.#from.length;
  }

  /** Edges to the initial transaction: each alone is a violation, because that one precedes all. */
  get initialCount(): number {
    return this.#initialCount;
  }

  get from(): Int32Array {
    return this.#from.view();
  }

  get to(): Int32Array {
    return this.#to.view();
  }

  add(from: number, to: number, reader: number, key: number): void {
    if (to === 0) this.#initialCount += 1;
    this.#from.push(from);
    this.#to.push(to);
    this.#reader.push(reader);
    this.#key.push(key);
  }

  edge(index: number): ForcedEdge {
    return {
      from: this.#from.at(index),
      to: this.#to.at(index),
      reader: this.#reader.at(index),
      key: this.#key.at(index),
    };
  }
}
