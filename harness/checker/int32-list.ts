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

const blockBits = 17;
const blockLength = 2 ** blockBits;

/** A list in blocks: growing copies nothing, which for millions of elements is half the time. */
export class Int32Blocks {
  readonly #blocks: Int32Array[] = [];
  #last = new Int32Array(0);
  #used = 0;

  get length(): number {
    return Math.max(0, this.#blocks.length - 1) * blockLength + this.#used;
  }

  push(value: number): void {
    if (this.#used === this.#last.length) this.#addBlock();
    this.#last[this.#used] = value;
    this.#used += 1;
  }

  /** Copies `begin` … `end - 1` to `target`, from `to` on. */
  copy(target: Int32Array, to: number, [begin, end]: readonly [number, number]): void {
    for (let from = begin, at = to; from < end;) {
      const block = this.#blocks[from >>> blockBits] as Int32Array;
      const offset = from & (blockLength - 1);
      const count = Math.min(end - from, blockLength - offset);
      for (let index = 0; index < count; index += 1)
        target[at + index] = block[offset + index] as number;
      from += count;
      at += count;
    }
  }

  /** The block that holds element `index`, and where in it. */
  blockAt(index: number): readonly [block: Int32Array, offset: number] {
    return [this.#blocks[index >>> blockBits] as Int32Array, index & (blockLength - 1)];
  }

  #addBlock(): void {
    this.#last = new Int32Array(blockLength);
    this.#blocks.push(this.#last);
    this.#used = 0;
  }
}
