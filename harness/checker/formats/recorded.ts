/**
 * @module This suite's own record: one `RecordedTransaction` as JSON per line (transactions.ndjson).
 *
 * A value is known by its writer and sequence number. A read may name a writer that is not in the
 * record (lost before it said its id, or of an earlier run). Such a writer existed, so it is added:
 * in a session of its own, outcome unknown, with the writes that were seen. That accuses nobody
 * wrongly; but what else it did is not known, so `gaps` says that a pass is not a proof.
 *
 * A transaction of unknown outcome may take effect after its client went on, so it is a session of
 * its own. So are later attempts of its request: a system under which a request happens once answers
 * them with the outcome of the first, and their own writes never were.
 */
import type { RecordedOperation, RecordedTransaction } from "#harness/record/history.ts";
import type { History } from "../history.ts";
import type { Name } from "../names.ts";
import { parseJsonElement } from "./elements.ts";
import {
  FormatError,
  type HistoryFormat,
  type HistoryParser,
  headText,
  type HistorySink,
  type ParseTarget,
  type Position,
} from "./format.ts";
import { LineSplitter } from "./lines.ts";
import { writerOf } from "./written.ts";

interface Seen {
  readonly key: string;
  readonly from: string;
  readonly sequence: number;
}

/** Turns recorded transactions into operations; also used without a file, after a run. */
export class RecordedHistory {
  readonly #sink: HistorySink;
  readonly #written = new Set<string>();
  /** By value and key; only those not written (yet). */
  readonly #seen = new Map<string, Seen>();
  readonly #sessions: RecordedSessions | undefined;
  #unrecorded = 0;

  /** Without `sessions` every transaction is one of its own: only transactions are judged then. */
  constructor(sink: HistorySink, options: { readonly sessions: boolean } = { sessions: true }) {
    this.#sink = sink;
    this.#sessions = options.sessions ? new RecordedSessions() : undefined;
  }

  add(transaction: RecordedTransaction): void {
    const { transactionId, outcome, operations } = transaction;
    const session = this.#sessions?.of(transaction) ?? transactionId;
    const handle = this.#sink.transaction(session, transactionId, outcome);
    for (const operation of operations) {
      const { key } = operation;
      if (operation.kind === "write") {
        // The value there is an earlier attempt's.
        if (operation.replayed === true) continue;
        const value = valueName(transactionId, operation.sequence);
        this.#written.add(`${value} ${key}`);
        this.#sink.write(handle, key, value);
      } else if (operation.from === null) {
        this.#sink.read(handle, key, null);
      } else {
        const { from, fromSequence } = operation;
        const value = valueName(from, fromSequence);
        if (!this.#written.has(`${value} ${key}`))
          this.#seen.set(`${value} ${key}`, { key, from, sequence: fromSequence });
        this.#sink.read(handle, key, value);
      }
    }
  }

  /** After the last transaction. */
  end(): void {
    const missing = new Map<string, Seen[]>();
    for (const [id, seen] of this.#seen) {
      if (this.#written.has(id)) continue;
      const writes = missing.get(seen.from) ?? [];
      writes.push(seen);
      missing.set(seen.from, writes);
    }
    for (const [from, writes] of missing) {
      const name = `${from} (not in the record)`;
      const handle = this.#sink.transaction(name, name, "unknown");
      for (const { key, sequence } of writes.toSorted((a, b) => a.sequence - b.sequence))
        this.#sink.write(handle, key, valueName(from, sequence));
    }
    this.#unrecorded = missing.size;
  }

  /** Why a pass is no proof; undefined if it is one. */
  get gaps(): string | undefined {
    if (this.#unrecorded === 0) return undefined;
    return `${this.#unrecorded} transactions that were read from are not in the record`;
  }
}

/** Which recorded transactions follow one another; asked in the order of the record. */
export class RecordedSessions {
  readonly #unsure = new Set<string>();

  of({ session, transactionId, requestId, outcome }: RecordedTransaction): Name {
    if (outcome === "unknown") this.#unsure.add(requestId);
    // Records before fills had sessions have -1 for all of them, in no order.
    const isAlone = session === -1 || this.#unsure.has(requestId);
    return isAlone ? `alone ${transactionId}` : session;
  }
}

function valueName(transactionId: string, sequence: number): string {
  return `${transactionId}:${sequence}`;
}

class RecordedParser implements HistoryParser {
  readonly #file: string;
  readonly #lines: LineSplitter;
  readonly #history: RecordedHistory;

  constructor({ file, sink }: ParseTarget) {
    this.#file = file;
    this.#history = new RecordedHistory(sink);
    this.#lines = new LineSplitter(file, (text, line) => this.#parse(text, line));
  }

  feed(chunk: Uint8Array): void {
    this.#lines.feed(chunk);
  }

  end(): void {
    this.#lines.end();
    this.#history.end();
  }

  position(): Position {
    return { line: this.#lines.line, column: 1 };
  }

  gaps(): string | undefined {
    return this.#history.gaps;
  }

  #parse(text: string, line: number): void {
    if (text.trim() === "") return;
    const position = { line, column: 1 };
    const value = parseJsonElement(text, { file: this.#file, position });
    const problem = problemOf(value);
    if (problem !== undefined) throw new FormatError({ file: this.#file, position, what: problem });
    this.#history.add(value as RecordedTransaction);
  }
}

function problemOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "a recorded transaction is an object";
  const { requestId, transactionId, session, outcome, operations } =
    value as Partial<RecordedTransaction>;
  if (typeof transactionId !== "string" || transactionId === "") return "transactionId is missing";
  if (typeof requestId !== "string") return "requestId is missing";
  if (!Number.isSafeInteger(session)) return "session must be a whole number";
  if (outcome !== "committed" && outcome !== "aborted" && outcome !== "unknown")
    return "outcome must be committed, aborted or unknown";
  if (!Array.isArray(operations)) return "operations must be an array";
  for (const operation of operations as unknown[])
    if (!isOperation(operation)) return "an operation is no recorded read or write";
  return undefined;
}

function isOperation(value: unknown): value is RecordedOperation {
  if (typeof value !== "object" || value === null) return false;
  const { kind, key, from, fromSequence, sequence } = value as Readonly<Record<string, unknown>>;
  if (typeof key !== "string") return false;
  if (kind === "read")
    return from === null || (typeof from === "string" && Number.isSafeInteger(fromSequence));
  return kind === "write" && Number.isSafeInteger(sequence);
}

/** Instants are not known and are 0; what nobody wrote becomes a read from a transaction "nobody". */
function* writeRecorded(history: History): Generator<string> {
  const sequences = sequencesOf(history);
  for (let one = 1; one < history.transactionCount; one += 1) {
    const operations: RecordedOperation[] = [];
    const writeSet = new Set<string>();
    for (let index = history.start[one] ?? 0; index < (history.end[one] ?? 0); index += 1) {
      const { kind, key, value } = history.operation(index);
      const name = history.keyName(key);
      const instants = { startUs: 0, endUs: 0 };
      if (kind === "write") {
        writeSet.add(name);
        operations.push({ kind, key: name, sequence: sequences[index] ?? 0, ...instants });
        continue;
      }
      const writer = writerOf(history, index);
      const link = history.link[index] ?? 0;
      const from =
        writer < 0 ? `nobody ${history.valueText(value)}` : history.transactionName(writer);
      if (writer === 0)
        operations.push({ kind, key: name, from: null, fromSequence: -1, ...instants });
      else {
        const fromSequence = writer < 0 ? 0 : (sequences[link] ?? 0);
        operations.push({ kind, key: name, from, fromSequence, ...instants });
      }
    }
    const transactionId = history.transactionName(one);
    const transaction: RecordedTransaction = {
      requestId: transactionId,
      attempt: 0,
      transactionId,
      session: history.sessionOf[one] ?? 0,
      outcome: history.statusOf(one),
      writeSet: [...writeSet],
      operations,
    };
    yield `${JSON.stringify(transaction)}\n`;
  }
}

/** Of each write, its number within its transaction. */
function sequencesOf(history: History): Int32Array {
  const sequences = new Int32Array(history.operationCount);
  for (let one = 1; one < history.transactionCount; one += 1) {
    let next = 0;
    for (let index = history.start[one] ?? 0; index < (history.end[one] ?? 0); index += 1) {
      if (history.operation(index).kind === "read") continue;
      sequences[index] = next;
      next += 1;
    }
  }
  return sequences;
}

export const recorded: HistoryFormat = {
  name: "aft-bench",
  title: "this suite's transactions.ndjson (also gzipped, or a run directory)",
  sniff: (head) => /^\s*\{[^{}]*"transactionId"\s*:/.test(headText(head)),
  parser: (target) => new RecordedParser(target),
  write: (history) => [{ suffix: "", chunks: writeRecorded(history) }],
};
