/**
 * @module One request as the parser found it: positions in the received bytes, and nothing made of them
 * until somebody asks.
 *
 * A view for each argument would be forty objects a transaction, most of them only to be turned into
 * a string or compared with a word. The parser fills the same request again for the next command, so
 * it is valid during the call it is handed to, and whoever keeps something copies it.
 */
import { Buffer } from "node:buffer";

const none = Buffer.alloc(0);
const zero = 48;
const nine = 57;
const maxCountDigits = 9;
/** Clears the bit that tells small ASCII letters from capitals. */
const capital = 0xdf;
const smallA = 97;
const smallZ = 122;

export class Request {
  #bytes: Buffer = none;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  /** Arguments, the command's name included. */
  length = 0;

  /** Begins anew, in other bytes. */
  reset(bytes: Buffer): void {
    this.#bytes = bytes;
    this.length = 0;
  }

  push(start: number, end: number): void {
    this.#starts[this.length] = start;
    this.#ends[this.length] = end;
    this.length += 1;
  }

  /** Bytes as a string, one character a byte; empty where there is no such argument. */
  text(index: number): string {
    if (index >= this.length) return "";
    return this.#bytes.toString("latin1", this.#starts[index], this.#ends[index]);
  }

  /** Bytes that outlive the call; memory of their own, so that they can be kept without more. */
  copy(index: number): Buffer {
    const length = this.size(index);
    const copy = Buffer.allocUnsafeSlow(length);
    if (length > 0) this.#bytes.copy(copy, 0, this.#starts[index], this.#ends[index]);
    return copy;
  }

  size(index: number): number {
    return index < this.length ? (this.#ends[index] ?? 0) - (this.#starts[index] ?? 0) : 0;
  }

  /** Whether an argument is this word, given in capitals, in whatever case. */
  is(index: number, word: string): boolean {
    if (this.size(index) !== word.length || index >= this.length) return false;
    const start = this.#starts[index] ?? 0;
    for (let place = 0; place < word.length; place += 1) {
      const byte = this.#bytes[start + place] ?? 0;
      const upper = byte >= smallA && byte <= smallZ ? byte & capital : byte;
      if (upper !== word.charCodeAt(place)) return false;
    }
    return true;
  }

  /** A number of up to nine digits; `undefined` for anything else. */
  count(index: number): number | undefined {
    const size = this.size(index);
    if (size === 0 || size > maxCountDigits) return undefined;
    const start = this.#starts[index] ?? 0;
    let value = 0;
    for (let place = start; place < start + size; place += 1) {
      const byte = this.#bytes[place] ?? 0;
      if (byte < zero || byte > nine) return undefined;
      value = value * 10 + (byte - zero);
    }
    return value;
  }

  /** All arguments as bytes that outlive the call. */
  copies(): Buffer[] {
    return Array.from({ length: this.length }, (_unused, index) => this.copy(index));
  }
}
