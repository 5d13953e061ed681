/**
 * @module What a commit writes, and in which order (AFT §3.3). Pure; the replica performs it.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { SealedWrite } from "#shim/storage/port.ts";
import type { Names } from "./names.ts";
import { encodeOutcome } from "./record-codec.ts";
import type { CommitRecord, Key } from "./types.ts";

/**
 * The data versions, then the commit record as their seal: the storage port promises that the
 * record is readable only if all the data is (rule 3 of AFT §3.3).
 *
 * @param record  Its write set may hold more keys than `buffered`: spilled ones are stored already.
 * @param buffered  Values still in the write buffer, by key.
 */
export function planCommit(
  names: Names,
  record: CommitRecord,
  buffered: ReadonlyMap<Key, Bytes>,
): SealedWrite {
  const { uuid } = record.id;
  const entries = [];
  for (const [userKey, value] of buffered)
    entries.push({ key: names.version(userKey, uuid), value });
  return {
    entries,
    seal: {
      key: names.commit(uuid, record.slot),
      value: encodeOutcome({ kind: "committed", record }),
    },
  };
}
