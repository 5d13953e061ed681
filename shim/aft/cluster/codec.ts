/**
 * @module Messages between peers as text. What does not parse is refused; nothing is half taken.
 *
 * By hand, because it is on the path of every commit to every replica: a library for schemas takes four
 * times as long for the same answer. What is not a field of a message is left out.
 */
import { ProjectError } from "#kit/errors.ts";
import type { CommitBatch } from "../protocol/commit-stream.ts";
import type { MemberReport, MemberRole, MemberState } from "../protocol/members.ts";
import { type CommitRecord, isTransactionUuid, type Key, key } from "../protocol/types.ts";
import type { PeerAnswer, PeerMessage } from "./port.ts";

/** A peer said something that this version does not understand. */
export class PeerMessageError extends ProjectError {
  readonly code = "bad_peer_message";
  readonly disposition = "bug";
}

type SyncAnswer = Extract<PeerAnswer, { kind: "synced" }>;
type Fields = Readonly<Record<string, unknown>>;

const roles: readonly MemberRole[] = ["replica", "manager"];
const states: readonly MemberState[] = ["joining", "alive", "draining", "left", "dead"];
const longestId = 200;
const longestAddress = 500;
/** uuid, timestamp, request, slot, keys. */
const recordFields = 5;

export function encodePeer(said: PeerMessage | PeerAnswer): string {
  return JSON.stringify(toWire(said));
}

/** @throws PeerMessageError */
export function decodeMessage(text: string): PeerMessage {
  const said = fieldsOf(parse(text), "it");
  const { kind } = said;
  switch (kind) {
    case "sync":
      return {
        kind,
        ...exchangeOf(said),
        ...(said["to"] !== undefined && { to: textOf(said["to"], "to") }),
      };
    case "tell":
    case "collectable":
      return { kind, records: listOf(said["records"], "records", recordOf) };
    default:
      return malformed("kind", "sync, tell or collectable");
  }
}

/** @throws PeerMessageError */
export function decodeAnswer(text: string): PeerAnswer {
  const said = fieldsOf(parse(text), "it");
  const { kind } = said;
  switch (kind) {
    case "synced":
      return { kind, ...exchangeOf(said) };
    case "told":
      return { kind };
    case "collectable":
      return {
        kind,
        from: memberOf(said["from"], "from"),
        uuids: listOf(said["uuids"], "uuids", textOf),
      };
    default:
      return malformed("kind", "synced, told or collectable");
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PeerMessageError("a peer's message is not JSON", { cause });
  }
}

function malformed(where: string, expected: string): never {
  throw new PeerMessageError(`a peer's message is malformed: ${where} must be ${expected}`);
}

function exchangeOf(said: Fields): Pick<SyncAnswer, "from" | "members" | "heard" | "batch"> {
  return {
    from: memberOf(said["from"], "from"),
    members: listOf(said["members"], "members", memberOf),
    heard: countOf(said["heard"], "heard"),
    ...(said["batch"] !== undefined && { batch: batchOf(said["batch"]) }),
  };
}

function batchOf(value: unknown): CommitBatch {
  const { after, upTo, records, reset } = fieldsOf(value, "batch");
  if (typeof reset !== "boolean") return malformed("reset", "true or false");
  return {
    after: countOf(after, "after"),
    upTo: countOf(upTo, "upTo"),
    records: listOf(records, "records", recordOf),
    reset,
  };
}

function memberOf(value: unknown, where: string): MemberReport {
  const { id, role, address, incarnation, state, silentMs } = fieldsOf(value, where);
  if (id === "") return malformed("id", "a text that is not empty");
  return {
    id: textOf(id, "id", longestId),
    role: oneOf(role, "role", roles),
    address: textOf(address, "address", longestAddress),
    incarnation: countOf(incarnation, "incarnation"),
    state: oneOf(state, "state", states),
    silentMs: countOf(silentMs, "silentMs"),
  };
}

function recordOf(value: unknown, where: string): CommitRecord {
  if (!Array.isArray(value) || value.length !== recordFields)
    return malformed(where, "a list of uuid, timestamp, request, slot and keys");
  const [uuid, timestampUs, requestId, place, keys] = value as readonly unknown[];
  if (typeof uuid !== "string" || !isTransactionUuid(uuid))
    return malformed("a uuid", "the id of a transaction");
  if (timestampUs === 0) return malformed("a timestamp", "above 0");
  const slot = countOf(place, "a slot");
  const writeSet = new Set(listOf(keys, "keys", keyOf));
  if (writeSet.size === 0) return malformed("keys", "at least one");
  return {
    id: { uuid, timestampUs: countOf(timestampUs, "a timestamp") },
    writeSet,
    requestId: textOf(requestId, "a request"),
    ...(slot > 0 && { slot }),
  };
}

function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return malformed(where, "an object");
  return value as Fields;
}

function listOf<T>(value: unknown, where: string, take: (item: unknown, where: string) => T): T[] {
  if (!Array.isArray(value)) return malformed(where, "a list");
  return value.map((item: unknown) => take(item, where));
}

function countOf(value: unknown, where: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    return malformed(where, "a whole number, at least 0");
  return value;
}

function textOf(value: unknown, where: string, longest = Infinity): string {
  if (typeof value !== "string" || value.length > longest)
    return malformed(where, longest === Infinity ? "a text" : `a text of up to ${longest}`);
  return value;
}

function keyOf(value: unknown, where: string): Key {
  return key(textOf(value, where));
}

function oneOf<T>(value: unknown, where: string, allowed: readonly T[]): T {
  return allowed.find((one) => one === value) ?? malformed(where, allowed.join(", "));
}

/** Only what holds records is copied: the members are most of a message, and a replacer would visit each field. */
function toWire(said: PeerMessage | PeerAnswer): unknown {
  if ("records" in said) return { ...said, records: said.records.map(recordToWire) };
  if (!("batch" in said) || said.batch === undefined) return said;
  return { ...said, batch: { ...said.batch, records: said.batch.records.map(recordToWire) } };
}

function recordToWire({ id, requestId, slot, writeSet }: CommitRecord): unknown[] {
  return [id.uuid, id.timestampUs, requestId, slot ?? 0, [...writeSet]];
}
