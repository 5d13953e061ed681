/**
 * @module The paper's transaction: functions of some reads and some writes each (AFT §6).
 *
 * Keys are drawn independently, with replacement: a key that comes up twice in one request is what
 * makes read-your-writes and repeatable reads observable at all. Reads come before writes.
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

export function createPaperWorkload(parameters: PaperParameters, seed: number): Workload {
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
      for (let read = 0; read < readsPerFunction; read += 1)
        operations.push({ kind: "read", key: draw() });
      for (let write = 0; write < writesPerFunction; write += 1) {
        const key = draw();
        writeSet.add(key);
        operations.push({ kind: "write", key });
      }
      return operations;
    });
    const payloadSeed = payloads.fork(requestId).nextInt(2 ** 31);
    return { requestId, functions: chain, writeSet: [...writeSet].toSorted(), payloadSeed };
  };

  return {
    parameters: { name: "paper", ...parameters, seed },
    valueBytes: parameters.valueBytes,
    keys: function* keysOf() {
      for (let rank = 0; rank < keyCount; rank += 1) yield keyName(rank);
    },
    request,
  };
}
