/**
 * @module What is sent to an object and answered by it, as bytes: values are never made text of.
 *
 * Used by the client, and by the code of the objects, which runs elsewhere; so only what every JavaScript
 * runtime has.
 */

/** How long an object remembers that a write was done: as long as AFT keeps outcomes. */
export const retentionMs = 300_000;

/** Which write of which request it is, and who asks for it. */
export interface WriteHead {
  /** Equal for all attempts of a request. */
  readonly request: string;
  /** Number of the write within the request. */
  readonly step: number;
  /** The attempt's transaction. */
  readonly attempt: string;
  /** Unique to the call, and the same when a call is sent again. */
  readonly call: string;
}

/** By whom a write was done: the first one that asked for it. */
export type Writer = Pick<WriteHead, "attempt" | "call">;

const lengthBytes = 4;

/** Head and value: length of the head, head as JSON, value. */
export function encodeWrite(head: WriteHead, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const frame = new Uint8Array(lengthBytes + text.length + value.length);
  new DataView(frame.buffer).setUint32(0, text.length);
  frame.set(text, lengthBytes);
  frame.set(value, lengthBytes + text.length);
  return frame;
}

/** @throws RangeError, SyntaxError on what `encodeWrite` did not make. */
export function decodeWrite(frame: Uint8Array): {
  readonly head: WriteHead;
  readonly value: Uint8Array;
} {
  const length = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0);
  const end = lengthBytes + length;
  if (end > frame.length) throw new RangeError("a head longer than its frame");
  const text = new TextDecoder().decode(frame.subarray(lengthBytes, end));
  return { head: JSON.parse(text) as WriteHead, value: frame.subarray(end) };
}

/** A value that may be missing: nothing at all, or a byte and the value, which may be empty. */
export function encodeFound(value: Uint8Array | undefined): Uint8Array<ArrayBuffer> {
  if (value === undefined) return new Uint8Array();
  const frame = new Uint8Array(1 + value.length);
  frame[0] = 1;
  frame.set(value, 1);
  return frame;
}

export function decodeFound(frame: Uint8Array): Uint8Array | undefined {
  return frame.length === 0 ? undefined : frame.subarray(1);
}
