/** @module Messages between peers as text. What does not parse is refused; nothing is half taken. */
import { z } from "zod";
import { ProjectError } from "#kit/errors.ts";
import { type CommitRecord, isTransactionUuid, key } from "../protocol/types.ts";
import type { PeerAnswer, PeerMessage } from "./port.ts";

/** A peer said something that this version does not understand. */
export class PeerMessageError extends ProjectError {
  readonly code = "bad_peer_message";
  readonly disposition = "bug";
}

const count = z.number().int().nonnegative();

const member = z.object({
  id: z.string().min(1).max(200),
  role: z.enum(["replica", "manager"]),
  address: z.string().max(500),
  incarnation: count,
  state: z.enum(["joining", "alive", "draining", "left", "dead"]),
  silentMs: count,
});

/** uuid, timestamp, request, slot, keys. */
const record = z
  .tuple([
    z.string().refine(isTransactionUuid),
    count.positive(),
    z.string(),
    count,
    z.array(z.string()).min(1),
  ])
  .transform(([uuid, timestampUs, requestId, slot, keys]): CommitRecord => ({
    id: { uuid, timestampUs },
    writeSet: new Set(keys.map((text) => key(text))),
    requestId,
    ...(slot > 0 && { slot }),
  }));

const batch = z.object({
  after: count,
  upTo: count,
  records: z.array(record),
  reset: z.boolean(),
});

const exchange = {
  from: member,
  members: z.array(member),
  heard: count,
  batch: z.exactOptional(batch),
};

const message = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("sync"), ...exchange, to: z.exactOptional(z.string()) }),
  z.object({ kind: z.literal("tell"), records: z.array(record) }),
  z.object({ kind: z.literal("collectable"), records: z.array(record) }),
]);

const answer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("synced"), ...exchange }),
  z.object({ kind: z.literal("told") }),
  z.object({ kind: z.literal("collectable"), from: member, uuids: z.array(z.string()) }),
]);

export function encodePeer(said: PeerMessage | PeerAnswer): string {
  return JSON.stringify(toWire(said));
}

/** @throws PeerMessageError */
export function decodeMessage(text: string): PeerMessage {
  return decode(message, text);
}

/** @throws PeerMessageError */
export function decodeAnswer(text: string): PeerAnswer {
  return decode(answer, text);
}

function decode<T>(schema: z.ZodType<T>, text: string): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new PeerMessageError("a peer's message is not JSON", { cause });
  }
  const result = schema.safeParse(parsed);
  if (result.success) return result.data;
  throw new PeerMessageError(`a peer's message is malformed: ${z.prettifyError(result.error)}`);
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
