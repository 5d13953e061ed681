/**
 * @module One open transaction: write buffer, read set, and calls that wait for writes under way.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { CommitRecord, Key } from "../protocol/types.ts";
import type { CommitUnderWay } from "./commits.ts";
import type { Refusal } from "./port.ts";

const noKeys: ReadonlySet<Key> = new Set();

export class Transaction {
  readonly uuid: string;
  readonly requestId: string;
  /** Position among all begins of this replica; orders transactions against supersedence. */
  readonly beginSequence: number;
  readonly beganAtUs: number;
  /** Own writes not in storage yet; their values answer own reads first. */
  buffered = new Map<Key, Bytes>();
  observed = new Map<Key, CommitRecord | "absent">();
  bufferedBytes = 0;
  /** Spills under way, one after another; settled when none is. Never rejects. */
  spilling: Promise<void> | undefined;
  /** A failed spill: the transaction can only abort. */
  poison: Refusal | undefined;
  /** Set from the commit call on. */
  committing: CommitUnderWay | undefined;
  /** Of the open ones, that which began before this one, and after it (`open-transactions.ts`). */
  before: Transaction | undefined;
  after: Transaction | undefined;
  #spilled: Set<Key> | undefined;
  #contiguousWrites = 0;
  /** Numbers of writes that came before one with a smaller number; made when it first happens. */
  #earlyWrites: Set<number> | undefined;
  /** Of keys written by such writes, the highest number. */
  #writtenEarly: Map<Key, number> | undefined;
  #waiters: { readonly afterWrites: number; readonly resume: () => void }[] = [];

  constructor(options: {
    uuid: string;
    requestId: string;
    beginSequence: number;
    beganAtUs: number;
  }) {
    this.uuid = options.uuid;
    this.requestId = options.requestId;
    this.beginSequence = options.beginSequence;
    this.beganAtUs = options.beganAtUs;
  }

  /**
   * Lets go of what it has read and written. Maps of open transactions that were outgrown may keep the
   * transaction alive for long after its end.
   */
  forget(): void {
    this.buffered = new Map();
    this.observed = new Map();
    this.bufferedBytes = 0;
  }

  /** Own writes that were spilled; their values are in storage under this transaction's name. */
  get spilled(): ReadonlySet<Key> {
    return this.#spilled ?? noKeys;
  }

  get keyCount(): number {
    return this.buffered.size + this.spilled.size + this.observed.size;
  }

  /** All keys written so far. */
  writeSet(): Set<Key> {
    const keys = new Set(this.spilled);
    for (const key of this.buffered.keys()) keys.add(key);
    return keys;
  }

  /** Notes that a value moved from the buffer to storage. */
  noteSpilled(key: Key): void {
    this.#spilled ??= new Set();
    this.#spilled.add(key);
  }

  /** Whether that many writes have arrived, without gaps. */
  hasWrites(afterWrites: number): boolean {
    return this.#contiguousWrites >= afterWrites;
  }

  /** Whether a later write of the key has arrived before this one. */
  isOvertaken(key: Key, sequence: number | undefined): boolean {
    if (this.#writtenEarly === undefined || sequence === undefined) return false;
    return sequence < (this.#writtenEarly.get(key) ?? 0);
  }

  /** Notes the arrival of a write; unnumbered ones count as the next. Wakes calls that waited. */
  noteWrite(sequence: number | undefined, key: Key): void {
    const number = sequence ?? this.#contiguousWrites + 1;
    if (number > this.#contiguousWrites + 1) {
      this.#earlyWrites ??= new Set();
      this.#earlyWrites.add(number);
      this.#writtenEarly ??= new Map();
      this.#writtenEarly.set(key, Math.max(number, this.#writtenEarly.get(key) ?? 0));
      return;
    }
    if (number <= this.#contiguousWrites) return;
    this.#contiguousWrites = number;
    while (this.#earlyWrites?.delete(this.#contiguousWrites + 1) === true)
      this.#contiguousWrites += 1;
    this.#wake();
  }

  /** Calls `resume` once that many writes arrived or the transaction ended. */
  waitForWrites(afterWrites: number, resume: () => void): { cancel(): void } {
    const waiter = { afterWrites, resume };
    this.#waiters.push(waiter);
    return {
      cancel: () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
      },
    };
  }

  /** Wakes every waiting call; it then sees what became of the transaction. */
  wakeAll(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { resume } of waiters) resume();
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter(({ afterWrites }) => this.hasWrites(afterWrites));
    this.#waiters = this.#waiters.filter(({ afterWrites }) => !this.hasWrites(afterWrites));
    for (const { resume } of ready) resume();
  }
}
