/** @module UUIDv7 (RFC 9562 §5.7) from ports: time-ordered, so a listing is roughly by age. */
import type { Prng } from "./prng.ts";

const hexOfByte: readonly string[] = Array.from({ length: 256 }, (_unused, byte) =>
  byte.toString(16).padStart(2, "0"),
);

/** A fresh UUIDv7 text. 74 random bits: ids made in one millisecond do not collide in practice. */
export function createUuid(nowMs: number, prng: Prng): string {
  const time = Math.trunc(nowMs).toString(16).padStart(12, "0");
  const random = prng.nextBytes(10);
  const byte = (index: number): string => hexOfByte[random[index] ?? 0] ?? "";
  const versioned = hexOfByte[0x70 | ((random[0] ?? 0) & 0x0f)] ?? "";
  const variant = hexOfByte[0x80 | ((random[2] ?? 0) & 0x3f)] ?? "";
  return (
    `${time.slice(0, 8)}-${time.slice(8)}-${versioned}${byte(1)}-${variant}${byte(3)}-` +
    `${byte(4)}${byte(5)}${byte(6)}${byte(7)}${byte(8)}${byte(9)}`
  );
}
