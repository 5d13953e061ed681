/**
 * @module What a replica learns from storage: the commit set at its start (AFT §3.3.1, §4.2), and
 * data that no commit record claims.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Clock } from "#kit/clock.ts";
import type { ListCursor, StorageEngine, StorageKey } from "#shim/storage/port.ts";
import type { Names } from "../protocol/names.ts";
import { CorruptRecordError, decodeOutcome, type StoredOutcome } from "../protocol/record-codec.ts";
import { uuidTimeMs } from "../protocol/types.ts";
import type { Committer } from "./committer.ts";

/** Records fetched by one request; the engine splits further as it must. */
const readBatch = 1_000;
/** Pages whose records are asked for while older ones are being taken in. */
const pagesAhead = 4;

/**
 * Every object under a prefix, page by page. Between two pages all else gets its turn: an embedded
 * store answers without ever going back to the event loop, and a member that is silent for the
 * seconds that 100,000 records take would be declared dead.
 */
export async function* listAll(
  engine: StorageEngine,
  prefix: string,
  clock: Clock,
): AsyncGenerator<StorageKey[]> {
  let cursor: ListCursor | undefined;
  do {
    const page = await engine.list(prefix, {
      limit: readBatch,
      ...(cursor !== undefined && { cursor }),
    });
    if (page.keys.length > 0) yield [...page.keys];
    cursor = page.cursor;
    if (cursor !== undefined)
      await new Promise<void>((resolve) => {
        clock.defer(resolve);
      });
  } while (cursor !== undefined);
}

/**
 * Reads the whole commit set.
 *
 * @param onOutcome  Called once per readable record, in no particular order.
 * @param onCorrupt  Called for a record that cannot be read; its transaction stays invisible.
 * Rejects with a `StorageError`: a replica that could not read everything must not serve.
 */
export async function readCommitSet(options: {
  readonly engine: StorageEngine;
  readonly names: Names;
  readonly clock: Clock;
  readonly onOutcome: (outcome: StoredOutcome, name: StorageKey) => void;
  readonly onCorrupt: (error: CorruptRecordError) => void;
  /** Whose records need not be read. */
  readonly isKnown?: (name: StorageKey) => boolean;
}): Promise<void> {
  const { engine, names, clock, onOutcome, onCorrupt, isKnown } = options;
  const take = ({ keys, values }: Page): void => {
    for (const [index, name] of keys.entries()) {
      const place = names.parseCommit(name);
      const value = values[index];
      // Deleted since it was listed, or not ours.
      if (place === undefined || value === undefined) continue;
      try {
        onOutcome(decodeOutcome(place, value), name);
      } catch (error) {
        if (!(error instanceof CorruptRecordError)) throw error;
        onCorrupt(error);
      }
    }
  };
  // The store looks for the next pages while the last one is decoded.
  const asked: Promise<Page>[] = [];
  const takeOldest = async (): Promise<void> => {
    const page = await asked.shift();
    if (page !== undefined) take(page);
  };
  for await (const listed of listAll(engine, names.commitPrefix, clock)) {
    const keys = isKnown === undefined ? listed : listed.filter((name) => !isKnown(name));
    if (keys.length === 0) continue;
    const page = engine.multiGet(keys).then((values) => ({ keys, values }));
    // It may fail long before its turn, or after a failure that ended the reading.
    page.catch(() => {});
    asked.push(page);
    if (asked.length >= pagesAhead) await takeOldest();
  }
  while (asked.length > 0) await takeOldest();
}

interface Page {
  readonly keys: readonly StorageKey[];
  readonly values: readonly (Bytes | undefined)[];
}

/**
 * Deletes data that belongs to no committed transaction: of spills, and of commits that failed or
 * were cut off. Only transactions that began before `beforeMs` are looked at, and each is fenced
 * first, so that not even a replica believed dead can still commit it.
 *
 * @returns How many objects were deleted.
 * Rejects with a `StorageError`; what was not deleted is found again next time.
 */
export async function deleteOrphans(options: {
  readonly engine: StorageEngine;
  readonly names: Names;
  readonly committer: Committer;
  readonly clock: Clock;
  readonly beforeMs: number;
  /** Committed here, or open: surely no orphan. */
  readonly isKnown: (uuid: string) => boolean;
  /** Told of each marker that was put. */
  readonly onFenced: (fence: StorageKey, uuid: string) => void;
}): Promise<number> {
  const { engine, names, committer, clock, beforeMs, isKnown, onFenced } = options;
  const orphaned = new Map<string, boolean>();
  let deleted = 0;
  for await (const keys of listAll(engine, names.dataPrefix, clock)) {
    const doomed: StorageKey[] = [];
    for (const name of keys) {
      const version = names.parseVersion(name);
      if (version === undefined) continue;
      const { uuid } = version;
      if (isKnown(uuid) || uuidTimeMs(uuid) >= beforeMs) continue;
      let isOrphan = orphaned.get(uuid);
      if (isOrphan === undefined) {
        const decision = await committer.decideForeign(uuid);
        // Its request may have been committed by another attempt: then this one never will be. Or it
        // was collected, and whoever did that was cut off before the data.
        isOrphan =
          decision.kind === "aborted" ||
          decision.transactionId !== uuid ||
          decision.record === undefined;
        orphaned.set(uuid, isOrphan);
        if (decision.kind === "aborted" && decision.fence !== undefined)
          onFenced(decision.fence, uuid);
      }
      if (isOrphan) doomed.push(name);
    }
    if (doomed.length > 0) await engine.multiDelete(doomed);
    deleted += doomed.length;
  }
  return deleted;
}
