/**
 * @module Writes that travel by value: kept until commit, and carried from function to function in the
 * context, because no connection and no memory outlives a function.
 *
 * Form      one field for each key: `w/` and the key → the value in base64 (a context is JSON; that is
 *           4 bytes for 3).
 * Limit     a context is a part of what functions are invoked with. AWS Lambda takes and answers with at
 *           most 6 MB (6,291,456 bytes) in a synchronous invocation ("Lambda quotas", AWS Lambda
 *           Developer Guide), so what does not fit is refused where it would be sent: in `suspend`.
 * Layer     state: pure; for every system that keeps its writes until commit.
 */
import { type Bytes, mebibyte } from "#kit/bytes.ts";
import { StateError } from "./port.ts";

export type Carried = Readonly<Record<string, string | number>>;

/** Lambda's limit, less 64 KiB for everything else that is in an invocation or its answer. */
export const defaultMaxContextBytes = 6 * mebibyte - 65_536;
/** Kept in one function; a function that ends the transaction itself carries nothing. */
const maxBufferedBytes = 256 * mebibyte;

const prefix = "w/";

/** The writes of one transaction so far, the last one of each key. */
export class WriteBuffer {
  readonly #values = new Map<string, Bytes>();
  #bytes = 0;

  static fromCarried(carried: Carried): WriteBuffer {
    const buffer = new WriteBuffer();
    for (const [name, text] of Object.entries(carried))
      if (name.startsWith(prefix))
        buffer.set(name.slice(prefix.length), Buffer.from(String(text), "base64"));
    return buffer;
  }

  get size(): number {
    return this.#values.size;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): Bytes | undefined {
    return this.#values.get(key);
  }

  /** @throws StateError `too_many_writes` beyond 256 MiB. */
  set(key: string, value: Bytes): void {
    const bytes = this.#bytes + value.length - (this.#values.get(key)?.length ?? 0);
    if (bytes > maxBufferedBytes)
      throw new StateError({
        code: "too_many_writes",
        disposition: "abort",
        message: `the writes of one transaction may have ${maxBufferedBytes} bytes, not ${bytes}: split it`,
      });
    this.#bytes = bytes;
    this.#values.set(key, value);
  }

  entries(): Iterable<readonly [key: string, value: Bytes]> {
    return this.#values.entries();
  }

  /** The fields of a context. */
  toCarried(): Record<string, string> {
    const fields: [string, string][] = [];
    for (const [key, value] of this.#values) fields.push([prefix + key, toBase64(value)]);
    // Not by assignment: a key may be called `__proto__`.
    return Object.fromEntries(fields);
  }
}

/** The keys that a context carries writes of, and the bytes of their values; nothing is decoded. */
export function* carriedSizes(carried: Carried): Generator<readonly [key: string, bytes: number]> {
  for (const [name, text] of Object.entries(carried))
    if (name.startsWith(prefix))
      yield [name.slice(prefix.length), Buffer.byteLength(String(text), "base64")];
}

/** What the fields take as JSON. Cost: by the number of fields and the text of those that are no writes. */
export function carriedBytes(carried: Carried): number {
  let bytes = 2;
  for (const [name, value] of Object.entries(carried)) {
    // Base64 has nothing to escape.
    const isPlain = name.startsWith(prefix) && typeof value === "string";
    const valueBytes = isPlain ? value.length + 2 : Buffer.byteLength(JSON.stringify(value));
    bytes += Buffer.byteLength(JSON.stringify(name)) + valueBytes + 2;
  }
  return bytes;
}

/** Hands on what fits. @throws StateError `context_too_large` */
export function checkCarried(carried: Carried, maxBytes: number): Carried {
  const bytes = carriedBytes(carried);
  if (bytes <= maxBytes) return carried;
  throw new StateError({
    code: "context_too_large",
    disposition: "abort",
    message:
      `what this transaction passes to its next function has ${bytes} bytes as JSON, more than ${maxBytes}: ` +
      "write less before the last function, or commit in the function that writes",
  });
}

function toBase64(value: Bytes): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}
