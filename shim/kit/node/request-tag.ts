import { hash } from "node:crypto";

/**
 * What all attempts of a request have in common: 132 bits of a hash of its id, in 22 characters of
 * base64url. Two requests share it with a probability that can be forgotten.
 *
 * @param requestId  As it travels: its bytes.
 */
export function requestTag(requestId: Uint8Array): string {
  return hash("sha256", requestId, { outputEncoding: "base64url" }).slice(0, 22);
}
