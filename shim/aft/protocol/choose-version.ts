/**
 * @module Version choice for reads: read atomic isolation without coordination.
 *
 * Source    AFT (EuroSys '20) §3.4, Algorithm 1 and Definition 1.
 * Layer     protocol: pure and synchronous.
 *
 * Invariants kept here, checked again from outside by `harness/checker`:
 *   R1  A read set never mixes two versions of one transaction (no fractured read).
 *   R2  Reading a key twice in a transaction yields the same version.
 *
 * Differs from the paper: a key read as absent stays in the read set, as a version older than all
 * others, so that absence repeats and cannot be fractured either (ARCHITECTURE, Deviation 2).
 */
import { compareTransactionIds, type CommitRecord, type Key, type TransactionId } from "./types.ts";

/** Versions read so far; `absent` keys were read and had no version. */
export type ObservedSet = ReadonlyMap<Key, CommitRecord | "absent">;

export type VersionChoice =
  | { readonly kind: "version"; readonly writer: CommitRecord }
  /** No committed version is known and none is required. */
  | { readonly kind: "absent" }
  /** Versions exist, but each would fracture the read set: abort and retry (AFT §3.6). */
  | { readonly kind: "noValidVersion" };

/** Candidates looked at one by one; a reader further behind is spared the rest where possible. */
const closeLook = 64;

type VersionsOf = (key: Key) => readonly CommitRecord[];

const absent: VersionChoice = { kind: "absent" };
const noValidVersion: VersionChoice = { kind: "noValidVersion" };

/**
 * Chooses the newest version of `key` that keeps `observed` an atomic read set.
 *
 * @param key       Key to read, not in the transaction's own write buffer.
 * @param observed  What the transaction has read; must itself be an atomic read set.
 * @param versions  Committed writers of `key` known here, oldest first, without repeats.
 * @param versionsOf  The same of any key. With it a reader that is very far behind may get a version
 *   older than the newest valid one, found by bisection.
 * @returns The writer whose version to fetch, or why there is none. Never throws; staleness is
 *   allowed, fracture is not.
 * Cost: O(|observed| + |writeSet|) when the newest version is valid, as it nearly always is; each
 *   older candidate costs another O(min(|writeSet|, |observed|)). After `closeLook` of them
 *   O(|observed| log |versions|) finds one at once, unless every version older than all that the
 *   reader has missed is also older than what it must see.
 * Source: AFT Algorithm 1; the two tests are cases 1 and 2 of its correctness proof.
 */
export function chooseVersion(
  key: Key,
  observed: ObservedSet,
  versions: readonly CommitRecord[],
  versionsOf?: VersionsOf,
): VersionChoice {
  const before = observed.get(key);
  // Cases 1 and 2 together leave only the version read before; take it directly.
  if (before !== undefined)
    return before === "absent" ? absent : { kind: "version", writer: before };

  const lowerBound = newestCowriter(key, observed);
  for (let position = versions.length - 1; position >= 0; position -= 1) {
    const writer = versions[position];
    if (writer === undefined) continue;
    if (versionsOf !== undefined && versions.length - position === closeLook) {
      const far = newestBeforeMissed(observed, versions, versionsOf);
      if (far !== undefined && (lowerBound === undefined || !isOlder(far, lowerBound)))
        return { kind: "version", writer: far };
    }
    // Case 1: something read before was written together with a newer version of this key.
    if (lowerBound !== undefined && compareTransactionIds(writer.id, lowerBound.id) < 0) break;
    // Case 2: this version was written together with a key that was read too old.
    if (!fractures(writer, observed)) return { kind: "version", writer };
  }
  return versions.length === 0 && lowerBound === undefined ? absent : noValidVersion;
}

/**
 * The newest version of the key that is older than everything the reader has missed of the keys it
 * has read. Nothing so old can have been written together with any of that (case 2). What has
 * been collected is missing in both lists, because transactions leave the index as a whole.
 */
function newestBeforeMissed(
  observed: ObservedSet,
  versions: readonly CommitRecord[],
  versionsOf: VersionsOf,
): CommitRecord | undefined {
  let missed: TransactionId | undefined;
  for (const [seenKey, seen] of observed) {
    const others = versionsOf(seenKey);
    const next =
      others[countOf(others, (id) => seen !== "absent" && compareTransactionIds(id, seen.id) <= 0)];
    if (next !== undefined && (missed === undefined || compareTransactionIds(next.id, missed) < 0))
      missed = next.id;
  }
  const before = missed;
  if (before === undefined) return versions.at(-1);
  return versions[countOf(versions, (id) => compareTransactionIds(id, before) < 0) - 1];
}

/** How many of them, from the oldest on, are so; all those must stand in front. */
function countOf(versions: readonly CommitRecord[], isSo: (id: TransactionId) => boolean): number {
  let [low, high] = [0, versions.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const version = versions[middle];
    if (version !== undefined && isSo(version.id)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The newest transaction read from that also wrote `key`, if any. */
function newestCowriter(key: Key, observed: ObservedSet): CommitRecord | undefined {
  let newest: CommitRecord | undefined;
  for (const writer of observed.values()) {
    if (writer === "absent" || !writer.writeSet.has(key)) continue;
    if (newest === undefined || compareTransactionIds(writer.id, newest.id) > 0) newest = writer;
  }
  return newest;
}

/** Whether `writer` also wrote a key that was read at an older version. */
function fractures(writer: CommitRecord, observed: ObservedSet): boolean {
  if (observed.size < writer.writeSet.size) {
    for (const [seenKey, seen] of observed) {
      if (writer.writeSet.has(seenKey) && isOlder(seen, writer)) return true;
    }
    return false;
  }
  for (const cowritten of writer.writeSet) {
    const seen = observed.get(cowritten);
    if (seen !== undefined && isOlder(seen, writer)) return true;
  }
  return false;
}

function isOlder(seen: CommitRecord | "absent", writer: CommitRecord): boolean {
  return seen === "absent" || compareTransactionIds(seen.id, writer.id) < 0;
}
