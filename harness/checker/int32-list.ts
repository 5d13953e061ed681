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

const blockLength = 2 ** 17;
/** Where nothing is known of how much will come: most histories are small, and simulations judge thousands. */
const firstLength = 2 ** 11;

/** A list in blocks: growing copies nothing, which for millions of elements is half the time. */
export class Int32Blocks {
  readonly #full: Int32Array[] = [];
  #fullLength = 0;
  #last: Int32Array;
  #used = 0;

  /** @param reserved  Elements of the first block: what is not written to takes addresses, not memory. */
  constructor(reserved = 0) {
    this.#last = new Int32Array(reserved > 0 ? Math.max(blockLength, reserved) : firstLength);
  }

  get length(): number {
    return this.#fullLength + this.#used;
  }

  push(value: number): void {
    if (this.#used === this.#last.length) this.#addBlock();
    this.#last[this.#used] = value;
    this.#used += 1;
  }

  /** All of it in one array: a view if one block holds it, otherwise a copy. */
  flat(): Int32Array {
    const last = this.#last.subarray(0, this.#used);
    if (this.#full.length === 0) return last;
    const whole = new Int32Array(this.length);
    let at = 0;
    for (const block of [...this.#full, last]) {
      whole.set(block, at);
      at += block.length;
    }
    return whole;
  }

  #addBlock(): void {
    this.#full.push(this.#last);
    this.#fullLength += this.#last.length;
    this.#last = new Int32Array(blockLength);
    this.#used = 0;
  }
}
