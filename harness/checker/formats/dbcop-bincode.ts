/**
 * @module dbcop's older binary history (bincode): little-endian.
 *
 *   five u64 (id, nodes, variables, transactions, events) · three strings (u64 length, bytes) ·
 *   u64 sessions · each: u64 transactions · each: u64 events, events, u8 success
 *   event: u8 is write · u64 variable · u64 value · u8 success
 *
 * Value 0 is the initial value. A failed event of a transaction that succeeded: a read is left out, a
 * write is one of an aborted transaction of its own.
 *
 * Cannot say: unknown outcomes (`written.ts`).
 */
import type { History } from "../history.ts";
import type { Name } from "../names.ts";
import { ByteQueue } from "./byte-queue.ts";
import {
  FormatError,
  type HistoryFormat,
  type HistoryParser,
  type ParseTarget,
  type Position,
} from "./format.ts";
import { numbersOf } from "./numbering.ts";
import { type ParsedOperation, SessionWriter } from "./session-writer.ts";
import { isWritten } from "./written.ts";

const maxStringBytes = 65_536;
const eventBytes = 18;
/** A transaction is held until it is whole. */
const maxEvents = 2 ** 20;

type Step =
  | { readonly kind: "numbers"; readonly left: number }
  | { readonly kind: "string-length"; readonly left: number }
  | { readonly kind: "string"; readonly left: number; readonly bytes: number }
  | { readonly kind: "sessions" }
  | { readonly kind: "transactions" }
  | { readonly kind: "events" }
  | { readonly kind: "event" }
  | { readonly kind: "success" }
  | { readonly kind: "end" };

class DbcopBincodeParser implements HistoryParser {
  readonly #file: string;
  readonly #writer: SessionWriter;
  readonly #queue = new ByteQueue();
  #step: Step = { kind: "numbers", left: 5 };
  #sessions = 0;
  #transactions = 0;
  #events = 0;
  #start = 0;
  #operations: ParsedOperation[] = [];
  #failed: ParsedOperation[] = [];

  constructor(target: ParseTarget) {
    this.#file = target.file;
    this.#writer = new SessionWriter(target);
  }

  feed(chunk: Uint8Array): void {
    this.#queue.push(chunk);
    while (this.#queue.available >= this.#need()) this.#take();
  }

  end(): void {
    if (this.#step.kind !== "end")
      throw this.#error(`the input ends where ${this.#step.kind} must be`);
    this.#writer.finish();
  }

  position(): Position {
    return { offset: this.#start };
  }

  #need(): number {
    switch (this.#step.kind) {
      case "event":
        return eventBytes;
      case "success":
        return 1;
      case "string":
        return this.#step.bytes;
      case "end":
        return 1;
      case "numbers":
      case "string-length":
      case "sessions":
      case "transactions":
      case "events":
        return 8;
    }
  }

  #take(): void {
    const step = this.#step;
    switch (step.kind) {
      case "numbers":
        this.#queue.skip(8);
        this.#step =
          step.left > 1
            ? { kind: "numbers", left: step.left - 1 }
            : { kind: "string-length", left: 3 };
        break;
      case "string-length": {
        const bytes = this.#count(maxStringBytes, "bytes of text");
        this.#step = { kind: "string", left: step.left, bytes };
        break;
      }
      case "string":
        this.#queue.skip(step.bytes);
        this.#step =
          step.left > 1 ? { kind: "string-length", left: step.left - 1 } : { kind: "sessions" };
        break;
      case "sessions":
        this.#sessions = this.#count(2 ** 32, "sessions");
        this.#step = this.#sessions > 0 ? { kind: "transactions" } : { kind: "end" };
        break;
      case "transactions":
        this.#transactions = this.#count(2 ** 32, "transactions");
        this.#step = this.#transactions > 0 ? { kind: "events" } : this.#endSession();
        break;
      case "events":
        this.#start = this.#queue.offset;
        this.#events = this.#count(maxEvents, "events");
        this.#step = this.#events > 0 ? { kind: "event" } : { kind: "success" };
        break;
      case "event":
        this.#event();
        this.#events -= 1;
        if (this.#events === 0) this.#step = { kind: "success" };
        break;
      case "success":
        this.#endTransaction(this.#flag());
        this.#transactions -= 1;
        this.#step = this.#transactions > 0 ? { kind: "events" } : this.#endSession();
        break;
      case "end":
        throw this.#error("something follows the last session");
    }
  }

  #endSession(): Step {
    this.#writer.nextSession();
    this.#sessions -= 1;
    return this.#sessions > 0 ? { kind: "transactions" } : { kind: "end" };
  }

  #event(): void {
    const isWrite = this.#flag();
    const key = this.#number();
    const value = this.#number();
    const success = this.#flag();
    if (success) this.#operations.push({ kind: isWrite ? "write" : "read", key, value });
    else if (isWrite) this.#failed.push({ kind: "write", key, value });
  }

  #endTransaction(success: boolean): void {
    const position = this.position();
    const [operations, failed] = [this.#operations, this.#failed];
    this.#operations = [];
    this.#failed = [];
    if (!success) {
      this.#writer.transaction({
        status: "aborted",
        operations: [...operations, ...failed],
        position,
      });
      return;
    }
    if (failed.length > 0)
      this.#writer.transaction({ status: "aborted", operations: failed, position });
    this.#writer.transaction({ status: "committed", operations, position });
  }

  #count(most: number, what: string): number {
    const { offset } = this.#queue;
    const value = this.#queue.u64(true);
    if (typeof value === "number" && value <= most) return value;
    throw this.#error(`${value} ${what}, more than ${most}: not a history`, offset);
  }

  #flag(): boolean {
    const { offset } = this.#queue;
    const value = this.#queue.byte();
    if (value > 1) throw this.#error(`${value} where 0 or 1 must be`, offset);
    return value === 1;
  }

  #number(): Name {
    const value = this.#queue.u64(true);
    return typeof value === "number" ? value : value.toString();
  }

  #error(what: string, offset = this.#queue.offset): FormatError {
    return new FormatError({ file: this.#file, position: { offset }, what });
  }
}

function* writeBincode(history: History): Generator<Uint8Array> {
  const numbers = numbersOf(history);
  const written = isWritten(history);
  const { sessionCount, transactionCount, keyCount, operationCount } = history;
  yield u64(1, sessionCount, keyCount, transactionCount - 1, operationCount);
  // Information, start and end: text that nothing reads.
  yield u64(0, 0, 0);
  yield u64(sessionCount);
  for (let session = 0; session < sessionCount; session += 1) {
    const ids: number[] = [];
    const end = history.sessionStart[session + 1] ?? 0;
    for (let one = history.sessionStart[session] ?? 0; one < end; one += 1)
      if (written(one)) ids.push(one);
    yield u64(ids.length);
    for (const one of ids) {
      const [from, to] = [history.start[one] ?? 0, history.end[one] ?? 0];
      yield u64(to - from);
      const success = Number(history.statusOf(one) !== "aborted");
      for (let index = from; index < to; index += 1) {
        const { kind, key, value } = history.operation(index);
        yield Uint8Array.of(Number(kind === "write"));
        yield u64(numbers.key(key), numbers.value(value));
        yield Uint8Array.of(success);
      }
      yield Uint8Array.of(success);
    }
  }
}

function u64(...values: readonly (number | string)[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setBigUint64(8 * index, BigInt(value), true);
  return bytes;
}

export const dbcopBincode: HistoryFormat = {
  name: "dbcop-bincode",
  title: "dbcop's older binary history (bincode)",
  // Five small numbers and a short string: no text looks so.
  sniff: (head) =>
    head.length >= 48 && [0, 1, 2, 3, 4, 5].every((index) => isSmall(head, index * 8)),
  parser: (target) => new DbcopBincodeParser(target),
  write: (history) => [{ suffix: "", chunks: writeBincode(history) }],
};

function isSmall(head: Uint8Array, at: number): boolean {
  return [4, 5, 6, 7].every((index) => head[at + index] === 0);
}
