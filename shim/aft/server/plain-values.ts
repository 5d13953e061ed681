/**
 * @module Deletion for plain `DEL`: AFT has writes only, so a deletion is the write of one reserved
 * value, and reading it means "no value". Every other value, also the empty one, stays itself; an
 * attempt to store the reserved one is refused.
 */
const tombstone = Buffer.from("\0aft-bench/deleted\0\x7f\xfe", "latin1");

export function deletedValue(): Uint8Array {
  return tombstone;
}

/** Cheap for ordinary values: the length decides. */
export function isDeleted(value: Uint8Array): boolean {
  return value.length === tombstone.length && tombstone.equals(value);
}
