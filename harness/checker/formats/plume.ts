/**
 * @module Plume text: `r(key,value,session,transaction)` or `w(…)` a line, all numbers.
 *
 * Read by Plume, PolySI, IsoVista and AWDIT. Transaction -1 is aborted, and only its writes count.
 * Order of first appearance is session order; order of lines is program order; value 0 is the initial
 * value (`initial-zero.ts`).
 *
 * Works on bytes: whole lines where they lie, numbers without text. A line has at most 128 bytes.
 */
import { type Name, NameList } from "../names.ts";
import {
  bigName,
  FormatError,
  type HistoryFormat,
  type HistoryParser,
  type HistorySink,
  headText,
  type ParseTarget,
  type Position,
  showByte,
} from "./format.ts";
import { ZeroWrites } from "./initial-zero.ts";
import { writePlume } from "./plume-writer.ts";

const maxLineBytes = 128;
/** Numbers of more digits take the slow path: a double may not hold them. */
const maxPlainDigits = 15;
const newline = 10;
const carriageReturn = 13;
const comma = 44;
const open = 40;
const close = 41;
const minus = 45;
const letterRead = 114;
const letterWrite = 119;
/** Transaction numbers below this are looked up in an array. */
const directBound = 2 ** 23;

class PlumeParser implements HistoryParser {
  readonly #file: string;
  readonly #sink: HistorySink;
  readonly #zeros: ZeroWrites;
  /** Of a line cut by a chunk's end. */
  readonly #carry = new Uint8Array(maxLineBytes + 1);
  #carryLength = 0;
  #line = 0;
  /** Where the number parser stands, and what it read. */
  #at = 0;
  /** Handle + 1 by transaction number; 0 is none. */
  #direct = new Int32Array(1_024);
  readonly #others = new Map<Name, number>();
  /** Session by handle. */
  readonly #sessionOf = new NameList();
  readonly #aborted = new Map<Name, number>();
  #lastTransaction: Name = -2;
  #lastSession: Name = -2;
  #lastHandle = -1;

  constructor({ file, sink }: ParseTarget) {
    this.#file = file;
    this.#sink = sink;
    this.#zeros = new ZeroWrites(file);
  }

  feed(chunk: Uint8Array): void {
    let from = 0;
    if (this.#carryLength > 0) {
      const end = chunk.indexOf(newline);
      const upTo = end < 0 ? chunk.length : end + 1;
      this.#keep(chunk.subarray(0, upTo));
      if (end < 0) return;
      this.#parse(this.#carry, 0, this.#carryLength);
      this.#carryLength = 0;
      from = upTo;
    }
    const last = chunk.lastIndexOf(newline) + 1;
    if (last > from) this.#parse(chunk, from, last);
    this.#keep(chunk.subarray(Math.max(from, last)));
  }

  end(): void {
    if (this.#carryLength > 0) {
      this.#carry[this.#carryLength] = newline;
      this.#parse(this.#carry, 0, this.#carryLength + 1);
    }
    if (this.#zeros.isEmpty) return;
    const aborted = new Set(this.#aborted.values());
    const sessions = new Set<Name | undefined>();
    for (let handle = 0; handle < this.#sessionOf.length; handle += 1)
      if (!aborted.has(handle)) sessions.add(this.#sessionOf.at(handle));
    this.#zeros.finish((session) => sessions.has(session));
  }

  position(): Position {
    return { line: this.#line, column: 1 };
  }

  #keep(bytes: Uint8Array): void {
    if (this.#carryLength + bytes.length > maxLineBytes) {
      // What is wrong earlier in the line says more than its length.
      const room = maxLineBytes - this.#carryLength;
      this.#carry.set(bytes.subarray(0, room), this.#carryLength);
      this.#carry[maxLineBytes] = newline;
      this.#parse(this.#carry, 0, maxLineBytes + 1);
      throw this.#error(maxLineBytes + 1, `the line is longer than ${maxLineBytes} bytes`);
    }
    this.#carry.set(bytes, this.#carryLength);
    this.#carryLength += bytes.length;
  }

  /** Whole lines: `bytes[to - 1]` is a newline, which ends every loop. */
  #parse(bytes: Uint8Array, from: number, to: number): void {
    let at = from;
    while (at < to) {
      this.#line += 1;
      const start = at;
      const kind = bytes[at];
      if (kind === newline || (kind === carriageReturn && bytes[at + 1] === newline)) {
        at += kind === newline ? 1 : 2;
        continue;
      }
      if ((kind !== letterRead && kind !== letterWrite) || bytes[at + 1] !== open)
        throw this.#unexpected(bytes, {
          start,
          at,
          want: "r(key,value,session,transaction) or w(…)",
        });
      this.#at = at + 2;
      const key = this.#number(bytes, start, comma);
      const value = this.#number(bytes, start, comma);
      const session = this.#number(bytes, start, comma);
      const transaction =
        bytes[this.#at] === minus
          ? this.#minusOne(bytes, start)
          : this.#number(bytes, start, close);
      at = this.#at;
      if (bytes[at] === carriageReturn) at += 1;
      if (bytes[at] !== newline)
        throw this.#unexpected(bytes, { start, at, want: "the end of the line" });
      at += 1;
      if (kind === letterRead) {
        if (transaction === -1) continue;
        const handle = this.#handle(transaction, session);
        this.#sink.read(handle, key, value === 0 ? null : value);
      } else if (value === 0) {
        this.#writeZero(transaction, session);
      } else {
        const handle =
          transaction === -1 ? this.#abortedOf(session) : this.#handle(transaction, session);
        this.#sink.write(handle, key, value);
      }
    }
  }

  /** A number from `#at` and the byte after it. */
  #number(bytes: Uint8Array, start: number, after: number): Name {
    const first = this.#at;
    let at = first;
    let value = 0;
    let digit = (bytes[at] as number) - 48;
    while (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      at += 1;
      digit = (bytes[at] as number) - 48;
    }
    if (at === first) throw this.#unexpected(bytes, { start, at, want: "a number, zero or more" });
    if (bytes[at] !== after)
      throw this.#unexpected(bytes, { start, at, want: `"${String.fromCharCode(after)}"` });
    this.#at = at + 1;
    return at - first <= maxPlainDigits ? value : bigName(BigInt(latin1(bytes, first, at)));
  }

  #minusOne(bytes: Uint8Array, start: number): number {
    const at = this.#at;
    if (bytes[at + 1] !== 49 || bytes[at + 2] !== close)
      throw this.#unexpected(bytes, { start, at, want: "a transaction number or -1" });
    this.#at = at + 3;
    return -1;
  }

  #handle(transaction: Name, session: Name): number {
    if (transaction === this.#lastTransaction && session === this.#lastSession)
      return this.#lastHandle;
    if (!this.#zeros.isEmpty) this.#zeros.mustNotHold(transaction);
    let handle = this.#find(transaction);
    if (handle < 0) {
      handle = this.#sink.transaction(session, transaction, "committed");
      this.#sessionOf.push(session);
      this.#remember(transaction, handle);
    } else if (this.#sessionOf.at(handle) !== session) {
      const other = this.#sessionOf.at(handle);
      throw this.#error(
        1,
        `transaction ${transaction} is of session ${session} here and of ${other}`,
      );
    }
    this.#lastTransaction = transaction;
    this.#lastSession = session;
    this.#lastHandle = handle;
    return handle;
  }

  #find(transaction: Name): number {
    if (typeof transaction === "number" && transaction < this.#direct.length)
      return (this.#direct[transaction] as number) - 1;
    return this.#others.get(transaction) ?? -1;
  }

  #remember(transaction: Name, handle: number): void {
    if (typeof transaction !== "number" || transaction >= directBound) {
      this.#others.set(transaction, handle);
      return;
    }
    if (transaction >= this.#direct.length) {
      const larger = new Int32Array(2 ** Math.ceil(Math.log2(transaction + 1)));
      larger.set(this.#direct);
      this.#direct = larger;
    }
    this.#direct[transaction] = handle + 1;
  }

  /** Lines do not tell the aborted transactions of a session apart; nothing asks for that. */
  #abortedOf(session: Name): number {
    const known = this.#aborted.get(session);
    if (known !== undefined) return known;
    const handle = this.#sink.transaction(session, -1, "aborted");
    this.#sessionOf.push(session);
    this.#aborted.set(session, handle);
    return handle;
  }

  #writeZero(transaction: Name, session: Name): void {
    const position = this.position();
    if (transaction === -1 || this.#find(transaction) >= 0) throw this.#zeros.refuse(position);
    const firstOfFile = this.#sessionOf.length === 0 && this.#zeros.isEmpty;
    this.#zeros.hold(transaction, { session, position, firstOfFile });
  }

  #unexpected(
    bytes: Uint8Array,
    found: { readonly start: number; readonly at: number; readonly want: string },
  ): FormatError {
    const { start, at, want } = found;
    const byte = bytes[at];
    const seen = byte === newline ? "the line ends" : `there is ${showByte(byte)}`;
    return this.#error(at - start + 1, `${seen} where ${want} must be`);
  }

  #error(column: number, what: string): FormatError {
    return new FormatError({ file: this.#file, position: { line: this.#line, column }, what });
  }
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

export const plume: HistoryFormat = {
  name: "plume",
  title: "plume text: r(key,value,session,transaction) per line",
  sniff: (head) => /^\s*[rw]\(\d*,?/.test(headText(head.subarray(0, 256))),
  parser: (target) => new PlumeParser(target),
  write: (history) => [{ suffix: "", chunks: writePlume(history) }],
};
