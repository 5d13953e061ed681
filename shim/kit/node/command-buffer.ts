/**
 * @module A Redis command encoded piece by piece into memory that is used again.
 *
 * For commands that carry many values: encoding each of them into a new buffer costs more in memory
 * management than in copying.
 */
import { Command } from "ioredis";

const firstBytes = 16_384;
/** Memory that grew beyond this for one large command is not kept. */
const keepBytes = 1_048_576;

const carriageReturn = 13;
const lineFeed = 10;
const dollar = 36;
const asterisk = 42;
const zero = 48;
/** A length, its first byte and the ends of two lines. */
const mostFraming = 24;

export class CommandBuffer {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #size = 0;

  /** Whether it is small enough to be kept for the next command. */
  get isWorthKeeping(): boolean {
    return this.#bytes.length <= keepBytes;
  }

  /** Begins a command of that many arguments; nothing of the one before may be needed any more. */
  begin(name: string, argumentCount: number): void {
    this.#size = 0;
    this.#reserve(mostFraming);
    this.#length(asterisk, argumentCount + 1);
    this.text(name);
  }

  /** An argument, as UTF-8. */
  text(argument: string): void {
    const { length } = argument;
    this.#reserve(length + mostFraming);
    const start = this.#size;
    this.#length(dollar, length);
    const bytes = this.#bytes;
    let at = this.#size;
    // Names are short and ASCII: a call of native code costs more than the bytes.
    for (let index = 0; index < length; index += 1) {
      const code = argument.charCodeAt(index);
      if (code > 127) {
        this.#size = start;
        this.bytes(Buffer.from(argument));
        return;
      }
      bytes[at] = code;
      at += 1;
    }
    this.#size = at;
    this.#endLine();
  }

  bytes(argument: Uint8Array): void {
    this.#reserve(argument.length + mostFraming);
    this.#length(dollar, argument.length);
    this.#bytes.set(argument, this.#size);
    this.#size += argument.length;
    this.#endLine();
  }

  /** The command, to be sent; what it sends is in this buffer until it was answered. */
  command(): Command {
    return new CommandInBuffer(this.#bytes.subarray(0, this.#size));
  }

  #length(type: number, value: number): void {
    const bytes = this.#bytes;
    let digits = 1;
    for (let limit = 10; limit <= value; limit *= 10) digits += 1;
    bytes[this.#size] = type;
    let rest = value;
    for (let place = this.#size + digits; place > this.#size; place -= 1) {
      bytes[place] = zero + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#size += 1 + digits;
    this.#endLine();
  }

  #endLine(): void {
    this.#bytes[this.#size] = carriageReturn;
    this.#bytes[this.#size + 1] = lineFeed;
    this.#size += 2;
  }

  #reserve(more: number): void {
    const needed = this.#size + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#size);
    this.#bytes = larger;
  }
}

class CommandInBuffer extends Command {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    // ioredis asks for a name in several tables; a command it does not know is sent as it is.
    super("encoded", [], { replyEncoding: null });
    this.#bytes = bytes;
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}
