/** @module Ids of attempts that name their request, and the order in which commits are told apart. */
import type { Clock } from "#kit/clock.ts";
import { requestTag } from "#kit/node/request-tag.ts";
import type { Prng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";

const uuidLength = 36;
/** Of the random part of an order number: two commits of one millisecond. */
const orderDigits = 6;
/** Until the year 2286 numbers have this many digits, so that they sort as text. */
const textDigits = 13 + orderDigits;

/** `<uuid>-<tag>`: whoever has it can ask what became of its request. */
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

/** A number above `after`, and by the clock where that is not behind. */
export function nextOrder(
  { clock, prng }: { readonly clock: Clock; readonly prng: Prng },
  after: bigint,
): bigint {
  const scale = 10 ** orderDigits;
  const now = BigInt(Math.floor(clock.nowMs())) * BigInt(scale) + BigInt(prng.nextInt(scale));
  return now > after ? now : after + 1n;
}

export function orderText(order: bigint): string {
  return String(order).padStart(textDigits, "0");
}
