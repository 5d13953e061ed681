/**
 * @module (key, value) → the operation that wrote it.
 *
 * Two forms with one interface. Where values are numbers of about the size of the history and no two
 * keys share one, which is what most recorders produce, an array indexed by value does; otherwise
 * open addressing with key, value and operation next to each other, so that a probe is one cache line.
 */

export interface WriteTable {
  /** The operation that already wrote this pair, or -1 and the pair is now in the table. */
  insert(key: number, value: number, operation: number): number;
  /** The operation that wrote the pair, or -1. */
  find(key: number, value: number): number;
}

/** Indexed by value; `insert` gives another key's operation back if two keys share a value. */
export class NumberedWrites implements WriteTable {
  /** Operation + 1, or 0 if there is none, and key: next to each other for the cache's sake. */
  readonly #slots: Int32Array;

  constructor(maxValue: number) {
    this.#slots = new Int32Array((maxValue + 1) * 2);
  }

  insert(key: number, value: number, operation: number): number {
    const found = this.#slots[value * 2] as number;
    if (found === 0) {
      this.#slots[value * 2] = operation + 1;
      this.#slots[value * 2 + 1] = key;
    }
    return found - 1;
  }

  find(key: number, value: number): number {
    if (value < 0 || value * 2 >= this.#slots.length) return -1;
    return this.#slots[value * 2 + 1] === key ? (this.#slots[value * 2] as number) - 1 : -1;
  }
}

/** Open addressing; `capacity` is the number of pairs it will hold. */
export class HashedWrites implements WriteTable {
  readonly #slots: Int32Array;
  readonly #mask: number;

  constructor(capacity: number) {
    // At most 2/3 full.
    const size = 2 ** Math.ceil(Math.log2(Math.max(4, capacity * 1.5)));
    this.#mask = size - 1;
    this.#slots = new Int32Array(size * 3);
  }

  insert(key: number, value: number, operation: number): number {
    const slots = this.#slots;
    let slot = hash(key, value) & this.#mask;
    for (;;) {
      const base = slot * 3;
      const found = slots[base + 2] as number;
      if (found === 0) {
        slots[base] = key;
        slots[base + 1] = value;
        slots[base + 2] = operation + 1;
        return -1;
      }
      if (slots[base] === key && slots[base + 1] === value) return found - 1;
      slot = (slot + 1) & this.#mask;
    }
  }

  find(key: number, value: number): number {
    const slots = this.#slots;
    let slot = hash(key, value) & this.#mask;
    for (;;) {
      const base = slot * 3;
      const found = slots[base + 2] as number;
      if (found === 0) return -1;
      if (slots[base] === key && slots[base + 1] === value) return found - 1;
      slot = (slot + 1) & this.#mask;
    }
  }
}

function hash(key: number, value: number): number {
  let mixed = Math.imul(key, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
