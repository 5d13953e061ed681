/** @module Objects with a value each, seen from a function: the part that products differ in. */
import type { Bytes } from "#kit/bytes.ts";
import type { StateCounters } from "#shim/state/port.ts";
import type { WriteHead, Writer } from "./frame.ts";

export interface ObjectStore {
  /** The value that its object has now; `undefined`: none. Rejects with `StateError`. */
  read(key: string): Promise<Bytes | undefined>;
  /**
   * Makes it the object's value, unless that write of that request was done before. Resolves with who did
   * it, once that is durable. Rejects with `StateError`; may be sent again.
   */
  write(key: string, head: WriteHead, value: Bytes): Promise<Writer>;
  counters(): StateCounters;
  /** Idempotent. */
  close(): void;
}
