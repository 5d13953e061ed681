import type { Bytes } from "#kit/bytes.ts";

/** The same bytes as the class ioredis sends without conversion. */
export function toBuffer(value: Bytes): Buffer {
  return Buffer.isBuffer(value)
    ? value
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
