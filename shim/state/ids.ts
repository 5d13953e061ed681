/** @module Transaction ids of systems that remember requests: unique to the attempt, and naming the request. */
import type { Clock } from "#kit/clock.ts";
import { requestTag } from "#kit/node/request-tag.ts";
import type { Prng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";

const uuidLength = 36;

/** `<uuid>-<tag>`: so whoever has the id of an attempt can ask what became of its request. */
export function createAttemptId(
  requestId: string,
  { clock, prng }: { readonly clock: Clock; readonly prng: Prng },
): string {
  return `${createUuid(clock.nowMs(), prng)}-${requestTag(Buffer.from(requestId))}`;
}

/** Equal for all attempts of a request. */
export function tagOf(transactionId: string): string {
  return transactionId.slice(uuidLength + 1);
}

/** A server's counter as text that sorts as the number does. */
export function orderText(count: number): string {
  return String(count).padStart(16, "0");
}
