/** @module Bytes that arrived and are not read yet, for binary formats; holds one record at most. */

export class ByteQueue {
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #offset = 0;

  push(chunk: Uint8Array): void {
    const rest = this.#bytes.subarray(this.#at);
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#at = 0;
  }

  get available(): number {
    return this.#bytes.length - this.#at;
  }

  /** Offset in the input of the next byte. */
  get offset(): number {
    return this.#offset;
  }

  /** The byte after `ahead` others. */
  peek(ahead = 0): number {
    return this.#bytes[this.#at + ahead] as number;
  }

  skip(count: number): void {
    this.#at += count;
    this.#offset += count;
  }

  byte(): number {
    const value = this.peek();
    this.skip(1);
    return value;
  }

  u64(littleEndian: boolean): bigint | number {
    const high = this.#view.getUint32(this.#at + (littleEndian ? 4 : 0), littleEndian);
    const low = this.#view.getUint32(this.#at + (littleEndian ? 0 : 4), littleEndian);
    this.skip(8);
    return high < 0x20_0000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) | BigInt(low);
  }
}
