/**
 * @module From whole transactions, session after session, to a sink: for the formats that are
 * written so. Value 0 is the initial value (`initial-zero.ts`).
 */
import type { TransactionStatus } from "../history.ts";
import type { Name } from "../names.ts";
import type { HistorySink, ParseTarget, Position } from "./format.ts";
import { ZeroWrites } from "./initial-zero.ts";

export interface ParsedOperation {
  readonly kind: "read" | "write";
  readonly key: Name;
  readonly value: Name | null;
}

export class SessionWriter {
  readonly #sink: HistorySink;
  readonly #zeros: ZeroWrites;
  readonly #used = new Set<Name>();
  #session: Name = 1;
  #sessionNumber = 1;
  #transactions = 0;
  #isFirst = true;

  constructor({ sink, file }: ParseTarget) {
    this.#sink = sink;
    this.#zeros = new ZeroWrites(file);
  }

  nextSession(): void {
    this.#sessionNumber += 1;
    this.#session = this.#sessionNumber;
    this.#transactions = 0;
  }

  /** Throws `FormatError` for zeros that cannot be told from the initial value. */
  transaction(transaction: {
    readonly status: TransactionStatus;
    readonly operations: readonly ParsedOperation[];
    readonly position: Position;
  }): void {
    const { status, operations, position } = transaction;
    this.#transactions += 1;
    const name = `${this.#sessionNumber}.${this.#transactions}`;
    const firstOfFile = this.#isFirst;
    this.#isFirst = false;
    if (operations.some(isZeroWrite)) {
      if (status !== "committed" || !operations.every(isZeroWrite))
        throw this.#zeros.refuse(position);
      this.#zeros.hold(name, { session: this.#session, position, firstOfFile });
      return;
    }
    this.#used.add(this.#session);
    const handle = this.#sink.transaction(this.#session, name, status);
    for (const { kind, key, value } of operations) {
      if (kind === "read") this.#sink.read(handle, key, value === 0 ? null : value);
      else if (value !== null) this.#sink.write(handle, key, value);
    }
  }

  /** Throws `FormatError` for zeros that cannot be told from the initial value. */
  finish(): void {
    this.#zeros.finish((session) => this.#used.has(session));
  }
}

function isZeroWrite({ kind, value }: ParsedOperation): boolean {
  return kind === "write" && value === 0;
}
