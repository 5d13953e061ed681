/**
 * @module Parses requests of the Redis protocol: arrays of bulk strings, and inline commands.
 *
 * Own code because every library for it parses replies, trusts lengths and grows without bound. Here
 * every length is checked against a limit before anything is kept, and what is kept is bounded by
 * the largest command.
 *
 * What is called back with points into the received bytes and is valid during the callback. Nothing of
 * them is kept: whoever received them may use their place again as soon as they were fed.
 */
import { ProjectError } from "#kit/errors.ts";
import { Request } from "./request.ts";

export interface RespLimits {
  readonly maxArguments: number;
  readonly maxBulkBytes: number;
  /** Of a whole command, headers included. */
  readonly maxCommandBytes: number;
  readonly maxInlineBytes: number;
}

/** The stream is not the Redis protocol, or exceeds a limit; the connection cannot go on. */
export class RespProtocolError extends ProjectError {
  readonly code = "protocol_error";
  readonly disposition = "abort";
}

const carriageReturn = 13;
const lineFeed = 10;
const asterisk = 42;
const dollar = 36;
const zero = 48;
const nine = 57;
const minus = 45;
/** Longest text of a length: `*1000000`. */
const maxLengthDigits = 10;

/** A length was not completely received yet. */
const incomplete = -2;

/** Memory for the start of a command is kept for the next one up to this size. */
const keepHeldBytes = 16_384;
const none = Buffer.alloc(0);

export class RespParser {
  readonly #limits: RespLimits;
  readonly #onCommand: (request: Request) => void;
  readonly #request = new Request();
  /** An unfinished command, at the front of memory of its own. */
  #held = none;
  #heldSize = 0;
  /** No command can be complete before this many bytes are held. */
  #need = 1;
  /** Where reading goes on in the bytes being parsed, and where they end. */
  #offset = 0;
  #end = 0;

  constructor(limits: RespLimits, onCommand: (request: Request) => void) {
    this.#limits = limits;
    this.#onCommand = onCommand;
  }

  /** Bytes kept of an unfinished command. */
  get heldBytes(): number {
    return this.#heldSize;
  }

  /**
   * Takes the next bytes and calls back for every complete command, in order.
   *
   * @param start  Where they begin in `bytes`. What is in front may be written to: an unfinished command
   *   is put there, so that it and its end are in one place.
   * @throws RespProtocolError; the parser must not be used any more.
   */
  feed(bytes: Buffer, start = 0, end = bytes.length): void {
    const size = this.#heldSize;
    if (size === 0) {
      this.#parse(bytes, start, end);
    } else if (size + end - start < this.#need) {
      this.#append(bytes, start, end);
    } else if (size <= start) {
      this.#held.copy(bytes, start - size, 0, size);
      this.#release();
      this.#parse(bytes, start - size, end);
    } else {
      this.#append(bytes, start, end);
      const joined = this.#held;
      const joinedSize = this.#heldSize;
      // What remains of it is held elsewhere.
      this.#held = none;
      this.#heldSize = 0;
      this.#parse(joined, 0, joinedSize);
    }
  }

  #parse(bytes: Buffer, from: number, end: number): void {
    let start = from;
    this.#offset = from;
    this.#end = end;
    while (start < end) {
      const request = this.#request;
      request.reset(bytes);
      const complete =
        bytes[start] === asterisk ? this.#array(bytes, start) : this.#inline(bytes, start);
      if (!complete) {
        this.#hold(bytes, start, end);
        return;
      }
      start = this.#offset;
      if (request.length > 0) this.#onCommand(request);
    }
    this.#need = 1;
  }

  #hold(bytes: Buffer, start: number, end: number): void {
    const { maxCommandBytes } = this.#limits;
    if (end - start > maxCommandBytes || this.#need > maxCommandBytes)
      throw new RespProtocolError(`a command may have ${maxCommandBytes} bytes`);
    this.#append(bytes, start, end);
  }

  #append(bytes: Buffer, start: number, end: number): void {
    const size = this.#heldSize + end - start;
    if (size > this.#held.length) {
      // Twice as much each time, so that a long command is copied twice on average; no more than it
      // says it needs, and never because it says so.
      const capacity = Math.max(size, Math.min(2 * size, this.#need));
      const larger = Buffer.allocUnsafeSlow(capacity);
      this.#held.copy(larger, 0, 0, this.#heldSize);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldSize, start, end);
    this.#heldSize = size;
  }

  #release(): void {
    this.#heldSize = 0;
    if (this.#held.length > keepHeldBytes) this.#held = none;
  }

  /** Whether all arguments are there; if not, `#need` says how many bytes are needed. */
  #array(buffer: Buffer, start: number): boolean {
    const { maxArguments, maxBulkBytes } = this.#limits;
    this.#offset = start + 1;
    const count = this.#length(buffer);
    if (count === incomplete) return this.#incomplete(this.#end - start + 1);
    if (count > maxArguments)
      throw new RespProtocolError(`a command may have ${maxArguments} arguments, not ${count}`);
    for (let index = 0; index < count; index += 1) {
      if (this.#offset >= this.#end) return this.#incomplete(this.#offset - start + 1);
      if (buffer[this.#offset] !== dollar) throw new RespProtocolError("expected '$'");
      this.#offset += 1;
      const size = this.#length(buffer);
      if (size === incomplete) return this.#incomplete(this.#end - start + 1);
      if (size < 0 || size > maxBulkBytes)
        throw new RespProtocolError(`an argument may have ${maxBulkBytes} bytes, not ${size}`);
      const end = this.#offset + size;
      if (this.#end < end + 2) return this.#incomplete(end + 2 - start);
      if (buffer[end] !== carriageReturn || buffer[end + 1] !== lineFeed)
        throw new RespProtocolError("an argument is longer than it says");
      this.#request.push(this.#offset, end);
      this.#offset = end + 2;
    }
    return true;
  }

  #incomplete(need: number): false {
    this.#need = need;
    return false;
  }

  /** A decimal number up to CR LF at `#offset`; -1 as in `*-1`; `incomplete`. */
  #length(buffer: Buffer): number {
    let position = this.#offset;
    const negative = buffer[position] === minus;
    if (negative) position += 1;
    let value = 0;
    const first = position;
    for (; position < this.#end; position += 1) {
      const byte = buffer[position] ?? 0;
      if (byte === carriageReturn) break;
      if (byte < zero || byte > nine || position - first >= maxLengthDigits)
        throw new RespProtocolError("expected a length");
      value = value * 10 + (byte - zero);
    }
    if (position + 1 >= this.#end) return incomplete;
    if (position === first || buffer[position + 1] !== lineFeed)
      throw new RespProtocolError("expected a length");
    if (negative && value !== 1) throw new RespProtocolError("negative length");
    this.#offset = position + 2;
    return negative ? -1 : value;
  }

  /** Words up to the end of the line, as one types them by hand. */
  #inline(buffer: Buffer, start: number): boolean {
    const { maxInlineBytes, maxArguments } = this.#limits;
    let end = start;
    while (end < this.#end && buffer[end] !== lineFeed && end - start <= maxInlineBytes) end += 1;
    if (end - start > maxInlineBytes)
      throw new RespProtocolError(`an inline command may have ${maxInlineBytes} bytes`);
    if (end === this.#end) return this.#incomplete(end - start + 1);
    this.#offset = end + 1;
    let position = start;
    while (position < end) {
      while (position < end && isBlank(buffer[position])) position += 1;
      const first = position;
      while (position < end && !isBlank(buffer[position])) position += 1;
      if (position === first) break;
      if (this.#request.length >= maxArguments)
        throw new RespProtocolError(`a command may have ${maxArguments} arguments`);
      this.#request.push(first, position);
    }
    return true;
  }
}

/** Space, tab, and the other bytes below them that end a word. */
function isBlank(byte: number | undefined): boolean {
  return byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);
}
