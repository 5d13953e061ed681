/**
 * @module Supersedence (AFT §4.1, Algorithm 2): which commits nobody needs to hear of.
 *
 * Safe without coordination, because versions only ever get newer: once superseded anywhere,
 * superseded everywhere that knows as much.
 */
import type { CommitRecord } from "./types.ts";
import type { VersionIndex } from "./version-index.ts";

/**
 * Whether every key of `record` has a newer committed version in `index`.
 *
 * A transaction with an empty write set is superseded at once.
 * Cost: O(|writeSet|); stops at the first key whose newest version is still this transaction's.
 */
export function isSuperseded(record: CommitRecord, index: VersionIndex): boolean {
  for (const key of record.writeSet) {
    const newest = index.versionsOf(key).at(-1);
    if (newest === undefined || newest.id.uuid === record.id.uuid) return false;
    // `record` may not be indexed here: compare, do not assume.
    if (newest.id.timestampUs < record.id.timestampUs) return false;
    if (newest.id.timestampUs === record.id.timestampUs && newest.id.uuid < record.id.uuid)
      return false;
  }
  return true;
}
