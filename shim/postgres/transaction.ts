/**
 * @module One open transaction on a connection of its own, until it is committed or given up.
 *
 * Trips: BEGIN rides on the first statement, the mark of the request and COMMIT go together. Methods are
 * called one after another; they reject with what the driver says, and then nothing but `rollback` is left.
 */
import type { PoolClient, QueryResult, QueryResultRow } from "pg";
import type { Bytes } from "#kit/bytes.ts";
import type { Isolation } from "./levels.ts";
import {
  markRequest,
  readMany,
  readOne,
  type Statement,
  writeMany,
  writeOne,
} from "./statements.ts";

/** Which of the server's processes carries a transaction out. */
export interface Backend {
  readonly pid: number;
  readonly since: string;
}

/** A connection that was taken out of the pool. */
export interface Lease {
  readonly client: PoolClient;
  /** Known once it was asked. */
  readonly backend: () => Backend | undefined;
  /** Why it was ended, if it was. */
  readonly failure: () => Error | undefined;
  /** Closes the connection; whoever has it learns why. */
  readonly end: (why: Error) => void;
  /** Gives it back; a broken one is closed. Idempotent. */
  readonly release: (how: "usable" | "broken") => void;
}

/** What is counted, over all transactions of a database. */
export interface Counts {
  calls: number;
  bytesRead: number;
  bytesWritten: number;
}

export type Entry = readonly [key: string, value: Bytes];

// Aliases, because only these count as rows of columns.
type ValueRow = { readonly key: string; readonly value: Buffer };
type PositionRow = { readonly position: string };

export class Transaction {
  /** Who carries it out. */
  readonly backend: Backend | undefined;
  readonly #lease: Lease;
  readonly #isolation: Isolation;
  readonly #namespace: string;
  readonly #counts: Counts;
  #begun = false;

  constructor(
    lease: Lease,
    of: {
      readonly isolation: Isolation;
      /** In front of every key. */
      readonly namespace: string;
      readonly counts: Counts;
    },
  ) {
    this.backend = lease.backend();
    this.#lease = lease;
    this.#isolation = of.isolation;
    this.#namespace = of.namespace;
    this.#counts = of.counts;
  }

  async read(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    const names = keys.map((key) => this.#namespace + key);
    const [first] = names;
    if (first === undefined) return [];
    const isOne = names.length === 1;
    const { rows } = await this.#run<ValueRow>(isOne ? readOne(first) : readMany(names));
    for (const { value } of rows) this.#counts.bytesRead += value.length;
    if (isOne) return [rows[0]?.value];
    const found = new Map(rows.map(({ key, value }) => [key, value]));
    return names.map((name) => found.get(name));
  }

  async write(entries: readonly Entry[]): Promise<void> {
    const named = entries.map(([key, value]): Entry => [this.#namespace + key, value]);
    const [first] = named;
    if (first === undefined) return;
    for (const [, value] of named) this.#counts.bytesWritten += value.length;
    await this.#run(named.length === 1 ? writeOne(...first) : writeMany(named));
  }

  /** Another statement of the same transaction; its rows. */
  async ask<Row extends QueryResultRow>(statement: Statement | string): Promise<readonly Row[]> {
    const { rows } = await this.#run<Row>(statement);
    return rows;
  }

  /** Ends it; nothing is committed if it rejects with an answer of the server. */
  async commit(): Promise<void> {
    await this.#run("COMMIT");
    this.#lease.release("usable");
  }

  /** Ends it as the request's one and only transaction; its position among all. */
  async commitAs(tag: string, transactionId: string): Promise<string> {
    const [{ rows }] = await this.#send<PositionRow>([markRequest(tag, transactionId), "COMMIT"]);
    this.#lease.release("usable");
    return rows[0]?.position ?? "";
  }

  /** Never rejects. */
  async rollback(): Promise<void> {
    if (!this.#begun || this.#lease.failure() !== undefined) {
      this.#lease.release(this.#begun ? "broken" : "usable");
      return;
    }
    try {
      await this.#run("ROLLBACK");
      this.#lease.release("usable");
    } catch {
      this.#lease.release("broken");
    }
  }

  async #run<Row extends QueryResultRow>(statement: Statement | string): Promise<QueryResult<Row>> {
    const [result] = await this.#send<Row>([statement]);
    return result;
  }

  /** In one round trip; the first one's result. */
  async #send<Row extends QueryResultRow>(
    statements: readonly (Statement | string)[],
  ): Promise<[QueryResult<Row>]> {
    const failure = this.#lease.failure();
    if (failure !== undefined) throw failure;
    this.#counts.calls += 1;
    const all = this.#begun
      ? statements
      : [`BEGIN ISOLATION LEVEL ${this.#isolation}`, ...statements];
    const skipped = all.length - statements.length;
    this.#begun = true;
    const { client } = this.#lease;
    const results = await Promise.all(
      all.map((statement) =>
        typeof statement === "string"
          ? client.query<Row>(statement)
          : client.query<Row>({ ...statement, values: [...statement.values] }),
      ),
    );
    const first = results[skipped];
    if (first === undefined) throw new RangeError("nothing was sent");
    return [first];
  }
}
