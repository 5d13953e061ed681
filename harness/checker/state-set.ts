/** @module A set of equally long integer vectors, exact: a wrong hit would be a wrong verdict. */

export class StateSet {
  readonly #length: number;
  #states: Int32Array;
  /** State number + 1; 0 is empty. */
  #slots: Int32Array;
  #count = 0;

  constructor(length: number) {
    this.#length = length;
    this.#states = new Int32Array(64 * Math.max(1, length));
    this.#slots = new Int32Array(256);
  }

  get size(): number {
    return this.#count;
  }

  /** True if the vector was not there yet; it is copied. */
  add(state: Int32Array): boolean {
    const slot = this.#find(state);
    if (this.#slots[slot] !== 0) return false;
    const offset = this.#count * this.#length;
    if (offset + this.#length > this.#states.length) {
      const larger = new Int32Array(this.#states.length * 2);
      larger.set(this.#states);
      this.#states = larger;
    }
    this.#states.set(state, offset);
    this.#count += 1;
    this.#slots[slot] = this.#count;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return true;
  }

  #find(state: Int32Array): number {
    const mask = this.#slots.length - 1;
    let slot = hash(state, 0, this.#length) & mask;
    for (;;) {
      const number = this.#slots[slot] as number;
      if (number === 0 || this.#equals(number - 1, state)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #equals(number: number, state: Int32Array): boolean {
    const offset = number * this.#length;
    for (let index = 0; index < this.#length; index += 1)
      if (this.#states[offset + index] !== state[index]) return false;
    return true;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let number = 0; number < this.#count; number += 1) {
      let slot = hash(this.#states, number * this.#length, this.#length) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
    this.#slots = slots;
  }
}

function hash(values: Int32Array, offset: number, length: number): number {
  let mixed = 0x811c9dc5;
  for (let index = offset; index < offset + length; index += 1) {
    mixed = Math.imul(mixed ^ (values[index] as number), 0x85ebca6b);
    mixed ^= mixed >>> 13;
  }
  return mixed >>> 0;
}
