/** @module A growable list of 32-bit integers without boxing: 10 M operations need flat memory. */

export class Int32List {
  #data: Int32Array;
  #length = 0;

  constructor(capacity = 1_024) {
    this.#data = new Int32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#data.length) this.#grow();
    this.#data[this.#length] = value;
    this.#length += 1;
  }

  /** Takes the last one off; there must be one. */
  pop(): number {
    this.#length -= 1;
    return this.#data[this.#length] as number;
  }

  /** `index` must be below `length`. */
  at(index: number): number {
    return this.#data[index] as number;
  }

  set(index: number, value: number): void {
    this.#data[index] = value;
  }

  /** What was pushed, without a copy: valid until the next push. */
  view(): Int32Array {
    return this.#data.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  #grow(): void {
    const larger = new Int32Array(Math.max(16, this.#data.length * 2));
    larger.set(this.#data);
    this.#data = larger;
  }
}
