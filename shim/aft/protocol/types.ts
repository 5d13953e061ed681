/**
 * @module The protocol's nouns (AFT §3.1-§3.2). Pure data.
 *
 * `Key` and `StorageKey` are different brands on purpose: comparing one with the other is how the
 * authors' conflict test came to match nothing (specs: read_atomic.go:174).
 */
import { assert } from "#kit/assert.ts";

/** A user's key, any string. */
export type Key = string & { readonly __brand: "Key" };

/** ⟨timestamp, uuid⟩, ordered by timestamp, then by the uuid's text (AFT §3.1). */
export interface TransactionId {
  /** Microseconds since the epoch by the committing replica's clock; assigned at commit. */
  readonly timestampUs: number;
  /** UUIDv7 text, chosen at begin; with the tag of its request behind it if it has one. */
  readonly uuid: string;
}

/** What makes a transaction committed once it is durable. */
export interface CommitRecord {
  readonly id: TransactionId;
  readonly writeSet: ReadonlySet<Key>;
  readonly requestId: string;
  /** Which of its request's slots the record stands in (`names.ts`); absent means 0. */
  readonly slot?: number;
}

export function key(text: string): Key {
  return text as Key;
}

/** Negative when `a` is older. Total: equal only for the same transaction. */
export function compareTransactionIds(a: TransactionId, b: TransactionId): number {
  if (a.timestampUs !== b.timestampUs) return a.timestampUs < b.timestampUs ? -1 : 1;
  if (a.uuid === b.uuid) return 0;
  return a.uuid < b.uuid ? -1 : 1;
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The same, and 22 base64url characters: 132 bits of a hash of the request id. */
const taggedPattern =
  /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.[A-Za-z0-9_-]{22}$/;
const uuidLength = 36;
const taggedLength = uuidLength + 1 + 22;

/**
 * Whether a client's text may serve as a transaction's id: a lower-case UUIDv7, unique to this
 * attempt; behind it, after a dot, the tag of the request if the request is to happen once.
 */
export function isTransactionUuid(text: string): boolean {
  return (text.length === uuidLength ? uuidPattern : taggedPattern).test(text);
}

/** The tag of its request; all attempts of one request share it. */
export function requestTagOf(uuid: string): string | undefined {
  return uuid.length === taggedLength ? uuid.slice(uuidLength + 1) : undefined;
}

export function withRequestTag(uuid: string, tag: string): string {
  return `${uuid}.${tag}`;
}

/** An id that is nobody's, to ask what became of a request. */
export function anyAttemptOf(tag: string): string {
  return withRequestTag("00000000-0000-7000-8000-000000000000", tag);
}

/** Milliseconds since the epoch at which a UUIDv7 was made. */
export function uuidTimeMs(uuid: string): number {
  assert(isTransactionUuid(uuid), "the text is a UUIDv7");
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}
