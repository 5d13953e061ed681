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
import { commitPlace } from "./names.ts";
import { type CommitRecord, type Key, isTransactionUuid } from "./types.ts";

export type StoredOutcome =
  | { readonly kind: "committed"; readonly record: CommitRecord }
  | {
      readonly kind: "collected";
      readonly uuid: string;
      readonly timestampUs: number;
      readonly slot?: number;
    }
  /** `fencedAtMs`: wall clock of whoever put it, for a request's slots. */
  | {
      readonly kind: "aborted";
      readonly uuid: string;
      readonly slot?: number;
      readonly fencedAtMs?: number;
    };

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
  readonly w?: readonly Key[];
  readonly s?: number;
  readonly f?: number;
}

const kinds: ReadonlySet<unknown> = new Set(["committed", "collected", "aborted"]);

export function encodeOutcome(outcome: StoredOutcome): Bytes {
  return Buffer.from(JSON.stringify(toWire(outcome)));
}

/** What replaces a commit record before its data is deleted. */
export function encodeCollected({ id, slot }: CommitRecord): Bytes {
  return encodeOutcome({
    kind: "collected",
    uuid: id.uuid,
    timestampUs: id.timestampUs,
    ...(slot !== undefined && { slot }),
  });
}

/**
 * @param place  Of the name it was found under (`commitPlace`).
 * @throws CorruptRecordError for anything `encodeOutcome` did not write for that place.
 */
export function decodeOutcome(place: string, bytes: Bytes): StoredOutcome {
  let parsed: unknown;
  try {
    parsed = JSON.parse(textOf(bytes));
  } catch (error) {
    throw new CorruptRecordError(place, "not JSON", { cause: error });
  }
  if (!isWireRecord(parsed)) throw new CorruptRecordError(place, "not a version 1 record");
  const { u: uuid, s: slot } = parsed;
  if (commitPlace(uuid, slot) !== place)
    throw new CorruptRecordError(place, `it belongs to ${uuid}`);
  const where = { uuid, ...(slot !== undefined && { slot }) };
  if (parsed.k === "aborted")
    return { kind: "aborted", ...where, ...(parsed.f !== undefined && { fencedAtMs: parsed.f }) };
  const timestampUs = parsed.t;
  if (timestampUs === undefined || !Number.isSafeInteger(timestampUs) || timestampUs <= 0)
    throw new CorruptRecordError(uuid, "it has no timestamp");
  if (parsed.k === "collected") return { kind: "collected", ...where, timestampUs };
  const writeSet = new Set<Key>(parsed.w);
  if (writeSet.size === 0) throw new CorruptRecordError(uuid, "its write set is empty");
  return {
    kind: "committed",
    record: {
      id: { timestampUs, uuid },
      writeSet,
      requestId: parsed.r ?? "",
      ...(slot !== undefined && { slot }),
    },
  };
}

/** Recovery reads millions: what is a buffer already needs no second view. */
function textOf(bytes: Bytes): string {
  if (Buffer.isBuffer(bytes)) return bytes.toString();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

function toWire(outcome: StoredOutcome): WireRecord {
  switch (outcome.kind) {
    case "committed": {
      const { id, writeSet, requestId, slot } = outcome.record;
      return {
        v: 1,
        k: "committed",
        u: id.uuid,
        t: id.timestampUs,
        r: requestId,
        w: [...writeSet],
        ...slotField(slot),
      };
    }
    case "collected": {
      const { uuid, timestampUs, slot } = outcome;
      return { v: 1, k: "collected", u: uuid, t: timestampUs, ...slotField(slot) };
    }
    case "aborted": {
      const { uuid, fencedAtMs, slot } = outcome;
      const fenced = fencedAtMs === undefined ? {} : { f: fencedAtMs };
      return { v: 1, k: "aborted", u: uuid, ...slotField(slot), ...fenced };
    }
  }
}

function slotField(slot: number | undefined): { s?: number } {
  return slot === undefined || slot === 0 ? {} : { s: slot };
}

function isWireRecord(value: unknown): value is WireRecord {
  if (typeof value !== "object" || value === null) return false;
  const fields = value as Record<string, unknown>;
  return (
    fields["v"] === 1 &&
    kinds.has(fields["k"]) &&
    typeof fields["u"] === "string" &&
    isTransactionUuid(fields["u"]) &&
    (fields["t"] === undefined || typeof fields["t"] === "number") &&
    (fields["s"] === undefined || Number.isSafeInteger(fields["s"])) &&
    (fields["f"] === undefined || typeof fields["f"] === "number") &&
    (fields["r"] === undefined || typeof fields["r"] === "string") &&
    (fields["w"] === undefined || isTextList(fields["w"]))
  );
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
