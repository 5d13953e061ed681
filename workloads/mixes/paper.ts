/**
 * @module The paper's transaction: functions of some reads and some writes each (AFT §6).
 *
 * Keys are drawn independently, with replacement: a key that comes up twice in one request is what
 * makes read-your-writes and repeatable reads observable at all. Reads come before writes. The variant
 * `read-modify-write` writes what the function has read.
 */
import { createPrng } from "#kit/prng.ts";
import { createZipf } from "../keys/zipf.ts";
import type { PlannedOperation, PlannedRequest, Workload } from "../port.ts";
import { keyName } from "./key-name.ts";

export interface PaperParameters {
  readonly functions: number;
  readonly readsPerFunction: number;
  readonly writesPerFunction: number;
  readonly keyCount: number;
  readonly zipfTheta: number;
  readonly valueBytes: number;
}

/** Which keys a function writes. */
export type WrittenKeys =
  /** Drawn anew, as in the paper. */
  | "drawn"
  /** Those it has read, in that order, so that a write depends on a read and can lose an update. */
  | "read";

export function createPaperWorkload(
  parameters: PaperParameters,
  seed: number,
  written: WrittenKeys = "drawn",
): Workload {
  const { functions, readsPerFunction, writesPerFunction, keyCount, zipfTheta } = parameters;
  const zipf = createZipf(keyCount, zipfTheta);
  const root = createPrng(seed);
  const keys = root.fork("keys");
  const payloads = root.fork("payloads");

  const request = (client: number, index: number): PlannedRequest => {
    const requestId = `c${client}-${index}`;
    const prng = keys.fork(requestId);
    const draw = (): string => keyName(zipf.next(prng));
    const writeSet = new Set<string>();
    const chain = Array.from({ length: functions }, () => {
      const operations: PlannedOperation[] = [];
      const read = Array.from({ length: readsPerFunction }, draw);
      for (const key of read) operations.push({ kind: "read", key });
      for (let write = 0; write < writesPerFunction; write += 1) {
        const key = (written === "read" ? read[write] : undefined) ?? draw();
        writeSet.add(key);
        operations.push({ kind: "write", key });
      }
      return operations;
    });
    const payloadSeed = payloads.fork(requestId).nextInt(2 ** 31);
    return { requestId, functions: chain, writeSet: [...writeSet].toSorted(), payloadSeed };
  };

  return {
    parameters: { name: written === "drawn" ? "paper" : "read-modify-write", ...parameters, seed },
    valueBytes: parameters.valueBytes,
    keys: function* keysOf() {
      for (let rank = 0; rank < keyCount; rank += 1) yield keyName(rank);
    },
    request,
  };
}
