/**
 * @module Parses requests of the Redis protocol: arrays of bulk strings, and inline commands.
 *
 * Own code because every library for it parses replies, trusts lengths and grows without bound. Here
 * every length is checked against a limit before anything is kept, and what is kept is bounded by
 * the largest command.
 *
 * What is called back with points into the received chunk and is valid during the callback.
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

export class RespParser {
  readonly #limits: RespLimits;
  readonly #onCommand: (request: Request) => void;
  readonly #request = new Request();
  #chunks: Buffer[] = [];
  #held = 0;
  /** No command can be complete before this many bytes are held. */
  #need = 1;
  /** Where reading goes on in the buffer being parsed. */
  #offset = 0;

  constructor(limits: RespLimits, onCommand: (request: Request) => void) {
    this.#limits = limits;
    this.#onCommand = onCommand;
  }

  /** Bytes kept of an unfinished command. */
  get heldBytes(): number {
    return this.#held;
  }

  /**
   * Takes the next bytes and calls back for every complete command, in order.
   *
   * @throws RespProtocolError; the parser must not be used any more.
   */
  feed(chunk: Buffer): void {
    if (this.#held > 0) {
      this.#chunks.push(chunk);
      this.#held += chunk.length;
      if (this.#held < this.#need) return;
      const joined = Buffer.concat(this.#chunks, this.#held);
      this.#chunks = [];
      this.#held = 0;
      this.#parse(joined);
      return;
    }
    this.#parse(chunk);
  }

  #parse(buffer: Buffer): void {
    let start = 0;
    this.#offset = 0;
    while (start < buffer.length) {
      const request = this.#request;
      request.reset(buffer);
      const complete =
        buffer[start] === asterisk ? this.#array(buffer, start) : this.#inline(buffer, start);
      if (!complete) {
        this.#hold(buffer, start);
        return;
      }
      start = this.#offset;
      if (request.length > 0) this.#onCommand(request);
    }
    this.#need = 1;
  }

  #hold(buffer: Buffer, start: number): void {
    const rest = buffer.subarray(start);
    const { maxCommandBytes } = this.#limits;
    if (rest.length > maxCommandBytes || this.#need > maxCommandBytes)
      throw new RespProtocolError(`a command may have ${maxCommandBytes} bytes`);
    // A small rest of a large chunk is copied, so that it does not pin the chunk.
    const kept = rest.length * 4 < buffer.length ? Buffer.from(rest) : rest;
    this.#chunks = [kept];
    this.#held = kept.length;
  }

  /** Whether all arguments are there; if not, `#need` says how many bytes are needed. */
  #array(buffer: Buffer, start: number): boolean {
    const { maxArguments, maxBulkBytes } = this.#limits;
    this.#offset = start + 1;
    const count = this.#length(buffer);
    if (count === incomplete) return this.#incomplete(buffer.length - start + 1);
    if (count > maxArguments)
      throw new RespProtocolError(`a command may have ${maxArguments} arguments, not ${count}`);
    for (let index = 0; index < count; index += 1) {
      if (this.#offset >= buffer.length) return this.#incomplete(this.#offset - start + 1);
      if (buffer[this.#offset] !== dollar) throw new RespProtocolError("expected '$'");
      this.#offset += 1;
      const size = this.#length(buffer);
      if (size === incomplete) return this.#incomplete(buffer.length - start + 1);
      if (size < 0 || size > maxBulkBytes)
        throw new RespProtocolError(`an argument may have ${maxBulkBytes} bytes, not ${size}`);
      const end = this.#offset + size;
      if (buffer.length < end + 2) return this.#incomplete(end + 2 - start);
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
    for (; position < buffer.length; position += 1) {
      const byte = buffer[position] ?? 0;
      if (byte === carriageReturn) break;
      if (byte < zero || byte > nine || position - first >= maxLengthDigits)
        throw new RespProtocolError("expected a length");
      value = value * 10 + (byte - zero);
    }
    if (position + 1 >= buffer.length) return incomplete;
    if (position === first || buffer[position + 1] !== lineFeed)
      throw new RespProtocolError("expected a length");
    if (negative && value !== 1) throw new RespProtocolError("negative length");
    this.#offset = position + 2;
    return negative ? -1 : value;
  }

  /** Words up to the end of the line, as one types them by hand. */
  #inline(buffer: Buffer, start: number): boolean {
    const { maxInlineBytes, maxArguments } = this.#limits;
    const end = buffer.indexOf(lineFeed, start);
    if ((end < 0 ? buffer.length : end) - start > maxInlineBytes)
      throw new RespProtocolError(`an inline command may have ${maxInlineBytes} bytes`);
    if (end < 0) return this.#incomplete(buffer.length - start + 1);
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
