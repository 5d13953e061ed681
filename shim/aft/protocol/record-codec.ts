/**
 * @module Bytes of a commit record, and of what may stand in its place.
 *
 * Under a transaction's commit name stands one of
 *   committed  the commit record (AFT §3.3): write set, timestamp, request
 *   collected  the same after its data was garbage-collected: no keys, but still the answer to
 *              "did it commit?" until nobody can be asking any more
 *   aborted    a fence: this transaction can never commit
 *
 * JSON, because it is read by people in the middle of an incident and is not on the read path.
 */
import { ProjectError } from "#kit/errors.ts";
import type { Bytes } from "#kit/bytes.ts";
import { type CommitRecord, type Key, isTransactionUuid, key } from "./types.ts";

export type StoredOutcome =
  | { readonly kind: "committed"; readonly record: CommitRecord }
  | { readonly kind: "collected"; readonly uuid: string; readonly timestampUs: number }
  | { readonly kind: "aborted"; readonly uuid: string };

/** What is stored under a commit name is not ours or is damaged. */
export class CorruptRecordError extends ProjectError {
  readonly code = "corrupt_commit_record";
  readonly disposition = "abort";
  readonly uuid: string;

  constructor(uuid: string, why: string, options?: ErrorOptions) {
    super(`commit record of ${uuid} is unreadable: ${why}`, options);
    this.uuid = uuid;
  }
}

interface WireRecord {
  readonly v: 1;
  readonly k: "committed" | "collected" | "aborted";
  readonly u: string;
  readonly t?: number;
  readonly r?: string;
  readonly w?: readonly string[];
}

export function encodeOutcome(outcome: StoredOutcome): Bytes {
  return Buffer.from(JSON.stringify(toWire(outcome)));
}

/** @throws CorruptRecordError for anything `encodeOutcome` did not write for `uuid`. */
export function decodeOutcome(uuid: string, bytes: Bytes): StoredOutcome {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
  } catch (error) {
    throw new CorruptRecordError(uuid, "not JSON", { cause: error });
  }
  if (!isWireRecord(parsed)) throw new CorruptRecordError(uuid, "not a version 1 record");
  if (parsed.u !== uuid) throw new CorruptRecordError(uuid, `it belongs to ${parsed.u}`);
  if (parsed.k === "aborted") return { kind: "aborted", uuid };
  const timestampUs = parsed.t;
  if (timestampUs === undefined || !Number.isSafeInteger(timestampUs) || timestampUs <= 0)
    throw new CorruptRecordError(uuid, "it has no timestamp");
  if (parsed.k === "collected") return { kind: "collected", uuid, timestampUs };
  const writeSet = new Set<Key>((parsed.w ?? []).map((text) => key(text)));
  if (writeSet.size === 0) throw new CorruptRecordError(uuid, "its write set is empty");
  return {
    kind: "committed",
    record: { id: { timestampUs, uuid }, writeSet, requestId: parsed.r ?? "" },
  };
}

function toWire(outcome: StoredOutcome): WireRecord {
  switch (outcome.kind) {
    case "committed": {
      const { id, writeSet, requestId } = outcome.record;
      return {
        v: 1,
        k: "committed",
        u: id.uuid,
        t: id.timestampUs,
        r: requestId,
        w: [...writeSet],
      };
    }
    case "collected":
      return { v: 1, k: "collected", u: outcome.uuid, t: outcome.timestampUs };
    case "aborted":
      return { v: 1, k: "aborted", u: outcome.uuid };
  }
}

function isWireRecord(value: unknown): value is WireRecord {
  if (typeof value !== "object" || value === null) return false;
  const fields = value as Record<string, unknown>;
  const kinds: unknown[] = ["committed", "collected", "aborted"];
  return (
    fields["v"] === 1 &&
    kinds.includes(fields["k"]) &&
    typeof fields["u"] === "string" &&
    isTransactionUuid(fields["u"]) &&
    (fields["t"] === undefined || typeof fields["t"] === "number") &&
    (fields["r"] === undefined || typeof fields["r"] === "string") &&
    (fields["w"] === undefined || isTextList(fields["w"]))
  );
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
