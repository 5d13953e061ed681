/**
 * @module What is inside a value: who wrote it, and what was written with it.
 *
 * Layout: `AFTB1` (5 bytes), length of the stamp (4), checksum of the stamp (4), stamp as JSON, filler
 * up to the value's size. Both systems carry it, so neither pays more than the other. A value that
 * does not decode was not written by this suite or was torn, and is an error, never an anomaly.
 */
import { ProjectError } from "#kit/errors.ts";
import { createPrng } from "#kit/prng.ts";
import type { ValueStamp } from "../port.ts";

const magic = Buffer.from("AFTB1", "latin1");
const headerBytes = magic.length + 8;
/** Filler is cut from this block at an offset that depends on the seed: cheap and incompressible. */
const fillerBlock = createPrng(20_200_427).nextBytes(131_072);

/** A value is not one of ours, or not whole. */
export class ForeignValueError extends ProjectError {
  readonly code = "foreign_value";
  readonly disposition = "bug";
}

/** A stamp does not fit into the configured value size. */
export class ValueTooSmallError extends ProjectError {
  readonly code = "value_too_small";
  readonly disposition = "abort";
}

/** Exactly `valueBytes` bytes. @throws ValueTooSmallError */
export function encodeValue(stamp: ValueStamp, valueBytes: number, seed: number): Buffer {
  const { requestId, transactionId, writeSet, sequence } = stamp;
  const text = JSON.stringify([requestId, transactionId, sequence, ...writeSet]);
  const stampBytes = Buffer.byteLength(text);
  const start = headerBytes + stampBytes;
  if (start > valueBytes) {
    const what = `a value of ${valueBytes} bytes cannot hold its stamp of ${start} bytes`;
    throw new ValueTooSmallError(what);
  }
  const value = Buffer.allocUnsafe(valueBytes);
  magic.copy(value);
  value.writeUInt32LE(stampBytes, magic.length);
  value.write(text, headerBytes, "utf8");
  value.writeUInt32LE(checksum(value, headerBytes, start), magic.length + 4);
  for (let offset = start; offset < valueBytes;) {
    const from = (seed + offset) % (fillerBlock.length / 2);
    const size = Math.min(valueBytes - offset, fillerBlock.length / 2);
    value.set(fillerBlock.subarray(from, from + size), offset);
    offset += size;
  }
  return value;
}

/** @throws ForeignValueError */
export function decodeStamp(value: Uint8Array): ValueStamp {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (bytes.length < headerBytes || !bytes.subarray(0, magic.length).equals(magic))
    throw new ForeignValueError("a value without this suite's stamp was read");
  const end = headerBytes + bytes.readUInt32LE(magic.length);
  if (
    end > bytes.length ||
    bytes.readUInt32LE(magic.length + 4) !== checksum(bytes, headerBytes, end)
  )
    throw new ForeignValueError("a torn value was read: its stamp fails its checksum");
  const [requestId, transactionId, sequence, ...writeSet] = JSON.parse(
    bytes.toString("utf8", headerBytes, end),
  ) as [string, string, number, ...string[]];
  return { requestId, transactionId, sequence, writeSet };
}

/** FNV-1a, 32 bits. */
function checksum(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let index = start; index < end; index += 1)
    hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x01000193);
  return hash >>> 0;
}
