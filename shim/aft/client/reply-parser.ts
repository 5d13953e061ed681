/**
 * @module Parses the replies of a replica: RESP2 and pushes, from a buffer that is used again for the next bytes.
 *
 * Own code because parsers of libraries hand out views of what they are fed, so every read from a
 * socket needs memory of its own. Here a value is copied once, to where it stays, even while it is
 * still arriving, and the bytes fed may be overwritten afterwards.
 */

/** What a replica answered with an error. The name is the one Redis clients look for. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
}

/** `Buffer`: a bulk string; `string`: a status. */
export type Reply = Buffer | string | number | null | ReplyError | Reply[];

/** Said in place of an answer that comes later. */
export const later = "LATER";

/** Not the protocol; nothing that follows on the connection can be understood. */
export class ReplyProtocolError extends Error {
  override readonly name = "ReplyProtocolError";
}

const carriageReturn = 13;
const lineFeed = 10;
const dollar = 36;
const asterisk = 42;
const plus = 43;
const minus = 45;
const colon = 58;
const greater = 62;
const zero = 48;

const mostLineBytes = 65_536;
const mostBulkBytes = 536_870_912;
const mostItems = 1_048_576;
const mostDepth = 8;

/** Values up to `pooledBytes` share memory: a piece of it for each would be a piece to collect for each. */
const slabBytes = 65_536;
const pooledBytes = 16_384;

interface OpenArray {
  readonly items: Reply[];
  readonly size: number;
  readonly isPush: boolean;
}

export class ReplyParser {
  readonly #onReply: (reply: Reply) => void;
  readonly #onPush: (items: readonly Reply[]) => void;
  /** Arrays that are not complete yet, the innermost last. */
  readonly #open: OpenArray[] = [];
  /** The first part of a line whose end has not arrived. */
  #line = "";
  /** A value that is arriving, how much of it has, and the line end behind it. */
  #bulk: Buffer | undefined;
  #filled = 0;
  #slab = Buffer.allocUnsafeSlow(0);
  #slabUsed = 0;

  /** @param onPush  Takes what is no answer in its turn. */
  constructor(onReply: (reply: Reply) => void, onPush: (items: readonly Reply[]) => void) {
    this.#onReply = onReply;
    this.#onPush = onPush;
  }

  /**
   * Takes the first `size` bytes and calls back for every complete reply, in order.
   *
   * @throws ReplyProtocolError; the parser must not be used any more.
   */
  feed(bytes: Uint8Array, size: number): void {
    let at = 0;
    while (at < size)
      at =
        this.#bulk === undefined
          ? this.#header(bytes, at, size)
          : this.#fill(this.#bulk, bytes, at, size);
  }

  /** Goes on with a value; returns where the bytes behind it begin. */
  #fill(bulk: Buffer, bytes: Uint8Array, from: number, size: number): number {
    let at = from;
    const missing = bulk.length - this.#filled;
    if (missing > 0) {
      const take = Math.min(missing, size - at);
      bulk.set(bytes.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
    }
    // CR and LF may arrive apart.
    while (at < size && this.#filled >= bulk.length) {
      if (bytes[at] !== (this.#filled === bulk.length ? carriageReturn : lineFeed))
        throw new ReplyProtocolError("a value is longer than it says");
      at += 1;
      this.#filled += 1;
      if (this.#filled === bulk.length + 2) {
        this.#bulk = undefined;
        this.#complete(bulk);
        break;
      }
    }
    return at;
  }

  /** Reads one line; returns where the bytes behind it begin. */
  #header(bytes: Uint8Array, from: number, size: number): number {
    let end = from;
    while (end < size && bytes[end] !== lineFeed) end += 1;
    if (end === size || this.#line.length > 0) return this.#partOfLine(bytes, from, end, size);
    if (end - from < 2 || bytes[end - 1] !== carriageReturn) throw malformed();
    const type = bytes[from];
    if (type === dollar || type === colon || type === asterisk || type === greater) {
      const value = wholeNumber(bytes, from + 1, end - 1);
      if (type === dollar) this.#beginBulk(value);
      else if (type === colon) this.#complete(value);
      else this.#beginArray(value, type === greater);
    } else if (isLater(bytes, from, end)) this.#complete(later);
    else this.#text(type, text(bytes, from + 1, end - 1));
    return end + 1;
  }

  /** A line in pieces: rare, so it is gathered as text and read when it is whole. */
  #partOfLine(bytes: Uint8Array, from: number, end: number, size: number): number {
    this.#line += Buffer.from(bytes.subarray(from, Math.min(end + 1, size))).toString("latin1");
    if (this.#line.length > mostLineBytes) throw malformed();
    if (end === size) return size;
    const whole = Buffer.from(this.#line, "latin1");
    this.#line = "";
    this.#header(whole, 0, whole.length);
    return end + 1;
  }

  #text(type: number | undefined, line: string): void {
    if (type === plus) this.#complete(line);
    else if (type === minus) this.#complete(new ReplyError(line));
    else throw malformed();
  }

  #beginBulk(size: number): void {
    if (size === -1) {
      this.#complete(null);
      return;
    }
    if (size < 0 || size > mostBulkBytes) throw malformed();
    this.#bulk = this.#memory(size);
    this.#filled = 0;
  }

  #beginArray(size: number, isPush: boolean): void {
    if (isPush && (size < 1 || this.#open.length > 0)) throw malformed();
    if (size === -1) this.#complete(null);
    else if (size === 0) this.#complete([]);
    else if (size < 0 || size > mostItems || this.#open.length >= mostDepth) throw malformed();
    else this.#open.push({ items: [], size, isPush });
  }

  #complete(reply: Reply): void {
    let done = reply;
    for (let inner = this.#open.at(-1); inner !== undefined; inner = this.#open.at(-1)) {
      inner.items.push(done);
      if (inner.items.length < inner.size) return;
      this.#open.pop();
      if (inner.isPush) {
        this.#onPush(inner.items);
        return;
      }
      done = inner.items;
    }
    this.#onReply(done);
  }

  #memory(size: number): Buffer {
    if (size > pooledBytes) return Buffer.allocUnsafeSlow(size);
    if (this.#slabUsed + size > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
      this.#slabUsed = 0;
    }
    const start = this.#slabUsed;
    this.#slabUsed += size;
    return this.#slab.subarray(start, this.#slabUsed);
  }
}

function wholeNumber(bytes: Uint8Array, from: number, end: number): number {
  const negative = bytes[from] === minus;
  let value = 0;
  const first = negative ? from + 1 : from;
  if (first >= end || end - first > 16) throw malformed();
  for (let at = first; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - zero;
    if (digit < 0 || digit > 9) throw malformed();
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** Once for every commit, so no text is made of it. */
function isLater(bytes: Uint8Array, from: number, end: number): boolean {
  if (end - from !== later.length + 2 || bytes[from] !== plus) return false;
  for (let place = 0; place < later.length; place += 1)
    if (bytes[from + 1 + place] !== later.charCodeAt(place)) return false;
  return true;
}

function text(bytes: Uint8Array, from: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString();
}

function malformed(): ReplyProtocolError {
  return new ReplyProtocolError("the answer is not the Redis protocol");
}
