/**
 * @module A history as the checker sees it: flat arrays, and names to speak about it.
 *
 * Judges histories of anybody: nothing here knows where operations came from. `HistoryBuilder`
 * collects them in any interleaving; `History` is sorted and resolved.
 *
 *   1. Transactions of a session are a contiguous range of ids, in session order; id 0 is the initial
 *      transaction, which wrote every key before all others and has no operations.
 *   2. Operations are in program order; transaction t has those from `start[t]` to `end[t]`.
 *   3. A pair (key, value) is written at most once, so what a read saw determines its writer.
 *   4. Aborted transactions are there (somebody may have read from them) but nothing judges them.
 *
 * Elements of typed arrays are read with `as number`: the index is in bounds by construction, and
 * these loops are the checker's speed.
 */
import { HistoryTooLargeError, maxOperations } from "./errors.ts";
import { Int32Blocks, Int32List } from "./int32-list.ts";
import { Interner, initialValue, type Name, NameList, ValueCodes } from "./names.ts";
import { linkArrived, linkReads } from "./link.ts";
import { type Arrival, keepArrival, sortOperations } from "./sort.ts";

export type TransactionStatus = "committed" | "aborted" | "unknown";

const statusCodes = { committed: 0, aborted: 1, unknown: 2 } as const;
/** Operations that memory is reserved for, not used: 2 × 256 MiB of addresses. */
const maxReserved = 2 ** 26;
const statusNames: readonly TransactionStatus[] = ["committed", "aborted", "unknown"];

export interface Operation {
  readonly kind: "read" | "write";
  /** Key number; `History.keyName` names it. */
  readonly key: number;
  /** Value code; `History.valueText` shows it. */
  readonly value: number;
}

export interface History {
  readonly sessionCount: number;
  /** With the initial transaction; ids are 0 … transactionCount - 1. */
  readonly transactionCount: number;
  readonly keyCount: number;
  readonly operationCount: number;
  /** First transaction of each session; one more entry at the end. */
  readonly sessionStart: Int32Array;
  /** Session of each transaction; -1 for the initial one. */
  readonly sessionOf: Int32Array;
  /** 0 committed, 1 aborted, 2 unknown. */
  readonly status: Uint8Array;
  /** First operation of each transaction, and one past its last. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Key × 2, plus 1 for a write. */
  readonly code: Int32Array;
  /** Value codes (`names.ts`). */
  readonly value: Int32Array;
  /**
   * Of a read: the operation that wrote what it saw, `linkInitial` or `linkNobody`.
   * Of a write: its transaction t if it is t's last write of the key, otherwise ~t.
   */
  readonly link: Int32Array;

  statusOf(transaction: number): TransactionStatus;
  operation(index: number): Operation;
  transactionName(transaction: number): string;
  sessionName(session: number): string;
  keyName(key: number): string;
  valueText(value: number): string;
}

/** Collects a history in any interleaving of sessions. Names may be numbers or text. */
export class HistoryBuilder {
  readonly #keys = new Interner();
  readonly #sessions = new Interner();
  readonly #values = new ValueCodes();
  readonly #names = new NameList();
  readonly #session = new Int32List();
  /** Of those that are not committed. */
  readonly #status = new Map<number, number>();
  /** Operations of one transaction mostly arrive together: where each run begins, and whose it is. */
  readonly #runHandle = new Int32List();
  readonly #runStart = new Int32List();
  #lastHandle = -1;
  readonly #code: Int32Blocks;
  readonly #value: Int32Blocks;
  #writeCount = 0;
  #maxWritten = 0;

  /** @param atMost  Operations that may come: more are welcome, and cost a copy. */
  constructor(atMost = 0) {
    const reserved = Math.min(atMost, maxReserved);
    this.#code = new Int32Blocks(reserved);
    this.#value = new Int32Blocks(reserved);
  }

  /** Declares a transaction; order of declaration within a session is session order. */
  transaction(session: Name, name: Name, status: TransactionStatus): number {
    const handle = this.#names.length;
    this.#names.push(name);
    this.#session.push(this.#sessions.id(session));
    if (status !== "committed") this.#status.set(handle, statusCodes[status]);
    return handle;
  }

  setStatus(handle: number, status: TransactionStatus): void {
    this.#status.set(handle, statusCodes[status]);
  }

  /** Appends to the transaction's program order; `null` is the initial value. */
  read(handle: number, key: Name, value: Name | null): void {
    if (handle !== this.#lastHandle) this.#beginRun(handle);
    this.#code.push(this.#keys.id(key) * 2);
    this.#value.push(value === null ? initialValue : this.#values.code(value));
  }

  /** Appends to the transaction's program order. */
  write(handle: number, key: Name, value: Name): void {
    if (handle !== this.#lastHandle) this.#beginRun(handle);
    this.#code.push(this.#keys.id(key) * 2 + 1);
    const code = this.#values.code(value);
    if (code > this.#maxWritten) this.#maxWritten = code;
    this.#writeCount += 1;
    this.#value.push(code);
  }

  /**
   * The history. Cost: O(operations). The builder must not be used afterwards.
   * Throws `DuplicateWriteError` and `HistoryTooLargeError`.
   */
  build(): History {
    if (this.#code.length > maxOperations) throw new HistoryTooLargeError(this.#code.length);
    const { idOf, sessionStart, sessionOf } = this.#numberTransactions();
    const status = new Uint8Array(sessionOf.length);
    const handleOf = new Int32Array(sessionOf.length);
    for (let handle = 0; handle < idOf.length; handle += 1)
      handleOf[idOf[handle] as number] = handle;
    for (const [handle, code] of this.#status) status[idOf[handle] as number] = code;
    const arrival: Arrival = {
      idOf,
      handles: this.#runHandle.view(),
      starts: this.#runStart.view(),
      code: this.#code.flat(),
      value: this.#value.flat(),
    };
    const kept = keepArrival(arrival);
    const operations = kept ?? sortOperations(arrival);
    const link = new Int32Array(operations.code.length);
    const history = new FlatHistory(
      { sessionStart, sessionOf, status, ...operations, link },
      {
        keys: this.#keys,
        sessions: this.#sessions,
        values: this.#values,
        names: this.#names,
        handleOf,
      },
    );
    const writes = {
      count: this.#writeCount,
      maxValue: this.#maxWritten,
      areNumbers: this.#values.areNumbers,
    };
    if (kept === undefined || !linkArrived(history, arrival, writes)) linkReads(history, writes);
    return history;
  }

  #beginRun(handle: number): void {
    this.#lastHandle = handle;
    this.#runHandle.push(handle);
    this.#runStart.push(this.#code.length);
  }

  /** Ids by session, stable: a counting sort. */
  #numberTransactions(): { idOf: Int32Array; sessionStart: Int32Array; sessionOf: Int32Array } {
    const sessions = this.#session.view();
    const sessionStart = new Int32Array(this.#sessions.size + 1);
    for (const session of sessions)
      sessionStart[session + 1] = (sessionStart[session + 1] as number) + 1;
    sessionStart[0] = 1;
    for (let session = 1; session < sessionStart.length; session += 1)
      sessionStart[session] =
        (sessionStart[session] as number) + (sessionStart[session - 1] as number);
    const next = sessionStart.slice();
    const idOf = new Int32Array(sessions.length);
    const sessionOf = new Int32Array(sessions.length + 1);
    sessionOf[0] = -1;
    for (let handle = 0; handle < sessions.length; handle += 1) {
      const session = sessions[handle] as number;
      const id = next[session] as number;
      next[session] = id + 1;
      idOf[handle] = id;
      sessionOf[id] = session;
    }
    return { idOf, sessionStart, sessionOf };
  }
}

interface FlatNames {
  readonly keys: Interner;
  readonly sessions: Interner;
  readonly values: ValueCodes;
  /** Of transactions, by handle; `handleOf` is by id, and says nothing of the initial one. */
  readonly names: NameList;
  readonly handleOf: Int32Array;
}

type FlatArrays = Pick<
  History,
  "sessionStart" | "sessionOf" | "status" | "start" | "end" | "code" | "value" | "link"
>;

class FlatHistory implements History {
  readonly sessionStart: Int32Array;
  readonly sessionOf: Int32Array;
  readonly status: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly code: Int32Array;
  readonly value: Int32Array;
  readonly link: Int32Array;
  readonly #names: FlatNames;

  constructor(arrays: FlatArrays, names: FlatNames) {
    this.sessionStart = arrays.sessionStart;
    this.sessionOf = arrays.sessionOf;
    this.status = arrays.status;
    this.start = arrays.start;
    this.end = arrays.end;
    this.code = arrays.code;
    this.value = arrays.value;
    this.link = arrays.link;
    this.#names = names;
  }

  get sessionCount(): number {
    return this.sessionStart.length - 1;
  }

  get transactionCount(): number {
    return this.sessionOf.length;
  }

  get keyCount(): number {
    return this.#names.keys.size;
  }

  get operationCount(): number {
    return this.code.length;
  }

  statusOf(transaction: number): TransactionStatus {
    return statusNames[this.status[transaction] ?? 0] ?? "committed";
  }

  operation(index: number): Operation {
    const code = this.code[index] as number;
    return {
      kind: (code & 1) === 1 ? "write" : "read",
      key: code >> 1,
      value: this.value[index] as number,
    };
  }

  transactionName(transaction: number): string {
    if (transaction === 0) return "initial";
    const { names, handleOf } = this.#names;
    return String(names.at(handleOf[transaction] ?? -1) ?? "");
  }

  sessionName(session: number): string {
    return session < 0 ? "initial" : String(this.#names.sessions.name(session));
  }

  keyName(key: number): string {
    return String(this.#names.keys.name(key));
  }

  valueText(value: number): string {
    return value === initialValue ? "initial" : String(this.#names.values.value(value));
  }
}
