/**
 * @module Where a connection gathers the bytes of the Redis protocol it will write: one growing
 * buffer, used again after each write that the kernel took at once.
 *
 * Text goes in byte by byte: lines are short, and a native call for each costs more than the bytes.
 */

const firstBytes = 16_384;
/** A buffer that grew beyond this for one large answer is not kept. */
const keepBytes = 1_048_576;

const carriageReturn = 13;
const lineFeed = 10;
const zero = 48;

export class RespBuffer {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #size = 0;

  /** Bytes gathered. */
  get size(): number {
    return this.#size;
  }

  /** Printable ASCII as it is; the caller vouches for it. */
  ascii(text: string): void {
    this.#reserve(text.length);
    const bytes = this.#bytes;
    let end = this.#size;
    for (let index = 0; index < text.length; index += 1) {
      bytes[end] = text.charCodeAt(index);
      end += 1;
    }
    this.#size = end;
  }

  /** A type's first byte, a whole number, and the end of the line: `$4096`, `:7`, `*2`. */
  header(type: number, value: number): void {
    this.#reserve(24);
    const bytes = this.#bytes;
    bytes[this.#size] = type;
    this.#size += 1;
    if (value < 0 || value > 999_999_999) {
      this.ascii(String(value));
    } else {
      let digits = 1;
      for (let rest = value; rest > 9; rest = (rest / 10) | 0) digits += 1;
      let rest = value;
      for (let place = this.#size + digits - 1; place >= this.#size; place -= 1) {
        bytes[place] = zero + (rest % 10);
        rest = (rest / 10) | 0;
      }
      this.#size += digits;
    }
    this.endLine();
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#size);
    this.#size += value.length;
  }

  endLine(): void {
    this.#reserve(2);
    this.#bytes[this.#size] = carriageReturn;
    this.#bytes[this.#size + 1] = lineFeed;
    this.#size += 2;
  }

  /** Everything gathered, as a view, and begins anew; valid until `reuse` or the next addition. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#size);
    this.#size = 0;
    return taken;
  }

  /** Says what became of the bytes taken last: `false` leaves them to whoever still holds them. */
  reuse(free: boolean): void {
    if (!free || this.#bytes.length > keepBytes) this.#bytes = Buffer.allocUnsafeSlow(firstBytes);
  }

  #reserve(more: number): void {
    const needed = this.#size + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#size);
    this.#bytes = larger;
  }
}
