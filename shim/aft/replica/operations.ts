/**
 * @module Reads and writes of open transactions: the replica's hot path.
 *
 * A read answers directly from the write buffer or the data cache and waits only for storage or
 * for writes still under way. A write waits only while the write buffer is being spilled.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Clock } from "#kit/clock.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import { chooseVersion } from "../protocol/choose-version.ts";
import type { Names } from "../protocol/names.ts";
import {
  type CommitRecord,
  compareTransactionIds,
  type Key,
  key as toKey,
} from "../protocol/types.ts";
import type { VersionIndex } from "../protocol/version-index.ts";
import type { ReplicaSettings } from "./options.ts";
import type { MaybePromise, PutAnswer, ReadAnswer, Refusal, ReplicaStats } from "./port.ts";
import { MissingVersionError, type VersionReader } from "./reader.ts";
import { refuse, refuseForStorage } from "./refuse.ts";
import type { Transaction } from "./transaction.ts";

const absent: ReadAnswer = { kind: "absent" };
const buffered: PutAnswer = { kind: "buffered" };

export class Operations {
  readonly #engine: StorageEngine;
  readonly #names: Names;
  readonly #clock: Clock;
  readonly #settings: ReplicaSettings;
  readonly #index: VersionIndex;
  readonly #versionsOf = (key: Key): readonly CommitRecord[] => this.#index.versionsOf(key);
  readonly #reader: VersionReader;
  readonly #closedRefusal: (uuid: string) => Refusal;
  readonly #isOpen: (transaction: Transaction) => boolean;
  readonly #onMissing: () => void;
  bufferedBytes = 0;
  spilledBytesTotal = 0;
  readsTotal = 0;
  noValidVersionTotal = 0;

  constructor(options: {
    engine: StorageEngine;
    names: Names;
    clock: Clock;
    settings: ReplicaSettings;
    index: VersionIndex;
    reader: VersionReader;
    /** Why a transaction that is not open takes no calls. */
    closedRefusal: (uuid: string) => Refusal;
    isOpen: (transaction: Transaction) => boolean;
    onMissing: () => void;
  }) {
    this.#engine = options.engine;
    this.#names = options.names;
    this.#clock = options.clock;
    this.#settings = options.settings;
    this.#index = options.index;
    this.#reader = options.reader;
    this.#closedRefusal = options.closedRefusal;
    this.#isOpen = options.isOpen;
    this.#onMissing = options.onMissing;
  }

  get(transaction: Transaction, key: string, afterWrites: number): MaybePromise<ReadAnswer> {
    const ready = this.awaitWrites(transaction, afterWrites);
    if (ready instanceof Promise)
      return ready.then((refusal) => refusal ?? this.#read(transaction, toKey(key)));
    return ready ?? this.#read(transaction, toKey(key));
  }

  getMany(
    transaction: Transaction,
    keys: readonly string[],
    afterWrites: number,
  ): MaybePromise<readonly ReadAnswer[]> {
    const ready = this.awaitWrites(transaction, afterWrites);
    const readAll = (refusal: Refusal | undefined): MaybePromise<readonly ReadAnswer[]> => {
      if (refusal !== undefined) return keys.map(() => refusal);
      // All versions are chosen before the first value is waited for: one consistent instant.
      const answers = keys.map((key) => this.#read(transaction, toKey(key)));
      return answers.some((answer) => answer instanceof Promise)
        ? Promise.all(answers.map((answer) => Promise.resolve(answer)))
        : (answers as ReadAnswer[]);
    };
    return ready instanceof Promise ? ready.then(readAll) : readAll(ready);
  }

  put(
    transaction: Transaction,
    call: { readonly key: string; readonly value: Bytes; readonly sequence?: number },
  ): MaybePromise<PutAnswer> {
    const key = toKey(call.key);
    const refusal = this.#refusePut(transaction, call);
    if (refusal !== undefined) {
      // The client does not wait for this answer: its commit must fail all the same.
      if (transaction.committing === undefined) transaction.poison ??= refusal;
      transaction.noteWrite(call.sequence, key);
      return refusal;
    }
    if (transaction.isOvertaken(key, call.sequence)) {
      transaction.noteWrite(call.sequence, key);
      return buffered;
    }
    const growth = call.value.length - (transaction.buffered.get(key)?.length ?? 0);
    transaction.buffered.set(key, call.value);
    transaction.bufferedBytes += growth;
    this.bufferedBytes += growth;
    transaction.noteWrite(call.sequence, key);
    if (this.bufferedBytes <= this.#settings.maxBufferBytes) return buffered;
    // A spilled value may be written over: where reads may be stale it would be read as it was before.
    if (!this.#engine.capabilities.consistentRead) return buffered;
    return this.#spill(transaction);
  }

  /** Nothing when that many writes have arrived; else waits for them, to a bound. */
  awaitWrites(
    transaction: Transaction,
    afterWrites: number,
  ): MaybePromise<Refusal | undefined> | undefined {
    if (transaction.hasWrites(afterWrites)) return transaction.poison;
    return new Promise((resolve) => {
      const { writesMissingAfterMs } = this.#settings;
      const waiter = transaction.waitForWrites(afterWrites, () => {
        timer.cancel();
        const open = this.#isOpen(transaction);
        resolve(open ? transaction.poison : this.#closedRefusal(transaction.uuid));
      });
      const timer = this.#clock.schedule(writesMissingAfterMs * 1_000, () => {
        waiter.cancel();
        const message = `${afterWrites} writes were announced and did not all arrive in time`;
        resolve(refuse("writes_missing", message));
      });
    });
  }

  figures(): Pick<
    ReplicaStats,
    "readsTotal" | "noValidVersionTotal" | "spilledBytesTotal" | "bufferedBytes"
  > {
    const { readsTotal, noValidVersionTotal, spilledBytesTotal, bufferedBytes } = this;
    return { readsTotal, noValidVersionTotal, spilledBytesTotal, bufferedBytes };
  }

  /** Forgets what an ended transaction held. */
  release(transaction: Transaction): void {
    this.bufferedBytes -= transaction.bufferedBytes;
    transaction.forget();
  }

  #read(transaction: Transaction, key: Key): MaybePromise<ReadAnswer> {
    this.readsTotal += 1;
    // Own writes first, also over what was read before (AFT §3.2: RYW wins).
    const own = transaction.buffered.get(key);
    if (own !== undefined) return { kind: "value", value: own };
    if (transaction.spilled.has(key))
      return this.#fetch(this.#reader.readSpilled(key, transaction.uuid));
    if (transaction.keyCount >= this.#settings.maxKeysPerTransaction)
      return this.#refuseTooManyKeys();

    const versions = this.#index.versionsOf(key);
    const choice = chooseVersion(key, transaction.observed, versions, this.#versionsOf);
    switch (choice.kind) {
      case "version": {
        const { writer } = choice;
        const value = this.#reader.read(key, writer.id.uuid);
        if (value instanceof Promise)
          return this.#fetchVersion({ transaction, key, writer, value });
        transaction.observed.set(key, writer);
        return { kind: "value", value };
      }
      case "absent":
        transaction.observed.set(key, "absent");
        return absent;
      case "noValidVersion":
        return this.#noValidVersion(key);
    }
  }

  #noValidVersion(key: Key): Refusal {
    this.noValidVersionTotal += 1;
    const message = `each version of ${JSON.stringify(key)} would fracture what was read`;
    return refuse("no_valid_version", message);
  }

  /**
   * Notes the choice and waits for its value. If the data is gone, because everybody else was done
   * with that version, the next older valid one does; a key that was read before repeats or refuses.
   */
  #fetchVersion(options: {
    readonly transaction: Transaction;
    readonly key: Key;
    readonly writer: CommitRecord;
    readonly value: Promise<Bytes>;
  }): Promise<ReadAnswer> {
    const { transaction, key, writer, value } = options;
    const { observed } = transaction;
    const repeated = observed.has(key);
    observed.set(key, writer);
    return value.then(
      (found): ReadAnswer => ({ kind: "value", value: found }),
      (error: unknown): MaybePromise<ReadAnswer> => {
        if (!(error instanceof MissingVersionError)) return refuseForStorage(error);
        this.#onMissing();
        if (repeated || observed.get(key) !== writer) return this.#noValidVersion(key);
        observed.delete(key);
        const older = this.#index
          .versionsOf(key)
          .filter(({ id }) => compareTransactionIds(id, writer.id) < 0);
        const choice = chooseVersion(key, observed, older);
        // Never "absent": the key has a newer version somewhere, or this one would be there.
        if (choice.kind !== "version") return this.#noValidVersion(key);
        return this.#fetchVersion({
          transaction,
          key,
          writer: choice.writer,
          value: Promise.resolve(this.#reader.read(key, choice.writer.id.uuid)),
        });
      },
    );
  }

  async #fetch(value: Promise<Bytes>): Promise<ReadAnswer> {
    try {
      return { kind: "value", value: await value };
    } catch (error) {
      return refuseForStorage(error);
    }
  }

  #refusePut(
    transaction: Transaction,
    call: { readonly key: string; readonly value: Bytes },
  ): Refusal | undefined {
    const { maxKeyLength, maxValueBytes, maxKeysPerTransaction, maxBufferBytes } = this.#settings;
    if (transaction.committing !== undefined)
      return refuse("transaction_committing", "the transaction is committing");
    if (transaction.poison !== undefined) return transaction.poison;
    if (call.key.length > maxKeyLength)
      return refuse(
        "key_too_large",
        `a key may have ${maxKeyLength} bytes, not ${call.key.length}`,
      );
    if (call.value.length > maxValueBytes) {
      const what = `a value may have ${maxValueBytes} bytes, not ${call.value.length}`;
      return refuse("value_too_large", `${what}, for ${JSON.stringify(call.key)}`);
    }
    if (transaction.keyCount >= maxKeysPerTransaction) return this.#refuseTooManyKeys();
    // Spilling could not keep up with writers that do not wait for answers.
    if (this.bufferedBytes > 2 * maxBufferBytes)
      return refuse("write_buffer_full", `${this.bufferedBytes} bytes wait to be spilled`);
    return undefined;
  }

  #refuseTooManyKeys(): Refusal {
    const { maxKeysPerTransaction } = this.#settings;
    return refuse("too_many_keys", `a transaction may touch ${maxKeysPerTransaction} keys`);
  }

  /** Moves this transaction's buffered values to storage, invisible without a record (AFT §3.3). */
  async #spill(transaction: Transaction): Promise<PutAnswer> {
    const previous = transaction.spilling;
    const spilling = this.#spillAfter(transaction, previous);
    transaction.spilling = spilling;
    await spilling;
    return transaction.poison ?? buffered;
  }

  async #spillAfter(transaction: Transaction, previous: Promise<void> | undefined): Promise<void> {
    await previous;
    const values = new Map(transaction.buffered);
    if (values.size === 0 || transaction.poison !== undefined) return;
    const entries = [...values].map(([key, value]) => ({
      key: this.#names.version(key, transaction.uuid),
      value,
    }));
    try {
      await this.#engine.multiPut(entries);
    } catch (error) {
      transaction.poison = refuseForStorage(error);
      return;
    }
    for (const [key, value] of values) {
      // Written again meanwhile: the newer value stays, and replaces the spilled one at commit.
      if (transaction.buffered.get(key) !== value) continue;
      transaction.buffered.delete(key);
      transaction.noteSpilled(key);
      transaction.bufferedBytes -= value.length;
      this.bufferedBytes -= value.length;
      this.spilledBytesTotal += value.length;
    }
  }
}
