import type { Clock } from "#kit/clock.ts";
import { requestTag } from "#kit/node/request-tag.ts";
import type { Prng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import { withRequestTag } from "../protocol/types.ts";

/** The tag of a request whose id is given as bytes, one character a byte. */
export function tagOf(requestId: string): string {
  return requestTag(Buffer.from(requestId, "latin1"));
}

/** A fresh transaction id; with the request's tag if the request is to happen once. */
export function newTransactionId(
  ports: { readonly clock: Clock; readonly prng: Prng },
  call: { readonly requestId: string; readonly once?: boolean },
): string {
  const uuid = createUuid(ports.clock.nowMs(), ports.prng);
  return call.once === true ? withRequestTag(uuid, tagOf(call.requestId)) : uuid;
}
