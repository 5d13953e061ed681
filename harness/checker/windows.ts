/**
 * @module Judges a history while it arrives, in windows: for runs that are too long to be held whole.
 *
 *   1. A violation is one of the whole history. A window is a part of it (some committed transactions,
 *      with session order and reads-from among them, some reads left out), and whatever explains the
 *      whole explains every part.
 *   2. "Pass" is only said when one window held everything. Otherwise the verdict is "undecided", and
 *      `coverage` and `missed` say what was not seen:
 *        - reads of writes that no window holds any more (counted);
 *        - circles whose transactions do not meet in one window;
 *        - one value written twice to a key in different windows (precondition: values are unique).
 *   3. Memory is bounded by the window and what is remembered, whatever the length of the run.
 *
 * A window is the newest operations; half of them are judged again with the next half. With them stand
 * the newest earlier writers of keys, without their reads, so that reads of quiet keys have a writer.
 */
import { check } from "./check.ts";
import { HistoryBuilder, type TransactionStatus } from "./history.ts";
import type { Name } from "./names.ts";
import { type Level, type Verdict, type Verdicts } from "./witness.ts";

export interface WindowOperation {
  readonly kind: "read" | "write";
  readonly key: Name;
  /** `null` is the initial value; only of reads. */
  readonly value: Name | null;
}

export interface WindowTransaction {
  readonly session: Name;
  readonly name: Name;
  readonly status: TransactionStatus;
  /** In program order. */
  readonly operations: readonly WindowOperation[];
}

export interface WindowOptions {
  readonly levels: readonly Level[];
  /** Of one window; half of them stay for the next. */
  readonly operations: number;
  /** Writes of earlier transactions that are remembered; as many as a window by default. */
  readonly remembered?: number;
}

export interface WindowCoverage {
  readonly windows: number;
  readonly transactions: number;
  readonly operations: number;
  /** External reads that were judged against their writer, and those that were not. */
  readonly readsJudged: number;
  readonly readsNotJudged: number;
}

export interface WindowedResult {
  readonly verdicts: Verdicts;
  readonly coverage: WindowCoverage;
  /** What could not be seen, for people; empty if one window held everything. */
  readonly missed: readonly string[];
}

interface Entry {
  readonly transaction: WindowTransaction;
  /** Of each operation, whether a window has held its writer. */
  readonly judged: Uint8Array;
  /** Its place among all transactions: session order. */
  readonly at: number;
}

export class WindowedChecker {
  readonly #options: WindowOptions;
  readonly #writers: RememberedWriters;
  readonly #violations = new Map<Level, Verdict>();
  readonly #undecided = new Map<Level, Verdict>();
  #window: Entry[] = [];
  #held = 0;
  #sinceJudged = 0;
  #windows = 0;
  #transactions = 0;
  #operations = 0;
  #readsJudged = 0;
  #readsNotJudged = 0;

  constructor(options: WindowOptions) {
    this.#options = options;
    this.#writers = new RememberedWriters(options.remembered ?? options.operations);
  }

  /**
   * Transactions in the order of their ends; those of a session in session order. Judges a window
   * now and then. Throws `DuplicateWriteError`.
   */
  add(transaction: WindowTransaction): void {
    const { operations } = transaction;
    const judged = new Uint8Array(operations.length);
    this.#window.push({ transaction, judged, at: this.#transactions });
    this.#transactions += 1;
    this.#operations += operations.length;
    this.#held += operations.length;
    this.#sinceJudged += operations.length;
    if (this.#held < this.#options.operations) return;
    this.#judge();
    while (this.#held > this.#options.operations / 2) this.#forgetOldest();
  }

  /** Operations in memory: of the window, and writes that are remembered. */
  get held(): number {
    return this.#held + this.#writers.size;
  }

  /** Violations so far; more may follow. */
  violations(): Verdicts {
    return Object.fromEntries(this.#violations);
  }

  /** Judges the rest. Throws `DuplicateWriteError`. */
  finish(): WindowedResult {
    if (this.#sinceJudged > 0 || this.#windows === 0) this.#judge();
    for (const entry of this.#window) this.#count(entry);
    const coverage: WindowCoverage = {
      windows: this.#windows,
      transactions: this.#transactions,
      operations: this.#operations,
      readsJudged: this.#readsJudged,
      readsNotJudged: this.#readsNotJudged,
    };
    const whole = this.#windows === 1;
    const missed = whole ? [] : missedBy(coverage, this.#options);
    const verdicts: Partial<Record<Level, Verdict>> = {};
    for (const level of this.#options.levels) {
      const reason = `no violation in ${this.#windows} windows, but ${missed.join("; ")}`;
      verdicts[level] =
        this.#violations.get(level) ??
        (whole ? (this.#undecided.get(level) ?? { kind: "pass" }) : { kind: "undecided", reason });
    }
    return { verdicts, coverage, missed };
  }

  #judge(): void {
    this.#windows += 1;
    this.#sinceJudged = 0;
    const written = new Set<string>();
    const entries = [...this.#writers.entries(), ...this.#window];
    for (const { transaction } of entries)
      for (const { kind, key, value } of transaction.operations)
        if (kind === "write") written.add(idOf(key, value));
    const builder = new HistoryBuilder();
    for (const entry of entries) {
      const { session, name, status, operations } = entry.transaction;
      const handle = builder.transaction(session, name, status);
      for (const [index, { kind, key, value }] of operations.entries()) {
        if (kind === "write") builder.write(handle, key, value ?? "");
        // What has no writer here may have one outside: nothing is said about it.
        else if (value === null || written.has(idOf(key, value))) {
          entry.judged[index] = 1;
          builder.read(handle, key, value);
        }
      }
    }
    const levels = this.#options.levels.filter((level) => !this.#violations.has(level));
    const verdicts = check(builder.build(), { levels });
    for (const level of levels) {
      const verdict = verdicts[level];
      if (verdict?.kind === "violation") this.#violations.set(level, verdict);
      if (verdict?.kind === "undecided") this.#undecided.set(level, verdict);
    }
  }

  #forgetOldest(): void {
    const entry = this.#window.shift();
    if (entry === undefined) return;
    this.#held -= entry.transaction.operations.length;
    this.#count(entry);
    this.#writers.remember(entry);
  }

  #count({ transaction, judged }: Entry): void {
    for (const [index, { kind }] of transaction.operations.entries()) {
      if (kind === "write") continue;
      if (judged[index] === 1) this.#readsJudged += 1;
      else this.#readsNotJudged += 1;
    }
  }
}

/** The newest writers of keys that have left the window, without their reads; bounded. */
class RememberedWriters {
  readonly #bound: number;
  /** By key, the writer forgotten first in front. */
  readonly #newest = new Map<Name, Entry>();
  /** How many keys each is the newest writer of. */
  readonly #keysOf = new Map<Entry, number>();
  #writes = 0;

  constructor(bound: number) {
    this.#bound = bound;
  }

  remember({ transaction, at }: Entry): void {
    const operations = transaction.operations.filter(({ kind }) => kind === "write");
    if (operations.length === 0) return;
    const judged = new Uint8Array(operations.length);
    const entry = { transaction: { ...transaction, operations }, judged, at };
    this.#writes += operations.length;
    const keys = new Set(operations.map(({ key }) => key));
    this.#keysOf.set(entry, keys.size);
    for (const key of keys) {
      this.#forget(key);
      this.#newest.set(key, entry);
    }
    while (this.#writes > this.#bound) {
      const [oldest] = this.#newest.keys();
      if (oldest === undefined) return;
      this.#forget(oldest);
    }
  }

  get size(): number {
    return this.#writes;
  }

  entries(): Entry[] {
    return [...this.#keysOf.keys()].toSorted((a, b) => a.at - b.at);
  }

  #forget(key: Name): void {
    const entry = this.#newest.get(key);
    if (entry === undefined) return;
    this.#newest.delete(key);
    const keys = (this.#keysOf.get(entry) ?? 0) - 1;
    this.#keysOf.set(entry, keys);
    if (keys > 0) return;
    this.#keysOf.delete(entry);
    this.#writes -= entry.transaction.operations.length;
  }
}

function missedBy(coverage: WindowCoverage, options: WindowOptions): string[] {
  const { readsJudged, readsNotJudged } = coverage;
  const reads = readsJudged + readsNotJudged;
  return [
    `${readsNotJudged} of ${reads} reads saw writes that no window held`,
    `what spans more than ${options.operations} operations was not seen`,
  ];
}

function idOf(key: Name, value: Name | null): string {
  // 1 and "1" are different names.
  return `${typeof key} ${key} ${typeof value} ${value}`;
}
