/**
 * @module Fig. 2's load: one function that writes n different keys, one by one or as one batch.
 */
import { createPrng } from "#kit/prng.ts";
import type { PlannedOperation, PlannedRequest, Workload } from "../port.ts";
import { keyName } from "./key-name.ts";

export interface WriteOnlyParameters {
  readonly writes: number;
  readonly batch: "sequential" | "batch";
  readonly keyCount: number;
  readonly valueBytes: number;
}

export function createWriteOnlyWorkload(parameters: WriteOnlyParameters, seed: number): Workload {
  const { writes, batch, keyCount } = parameters;
  const root = createPrng(seed);
  const keysRoot = root.fork("keys");
  const payloads = root.fork("payloads");

  const request = (client: number, index: number): PlannedRequest => {
    const requestId = `c${client}-${index}`;
    const prng = keysRoot.fork(requestId);
    const chosen = new Set<string>();
    while (chosen.size < Math.min(writes, keyCount)) chosen.add(keyName(prng.nextInt(keyCount)));
    const keys = [...chosen];
    const operations: PlannedOperation[] =
      batch === "batch"
        ? [{ kind: "writeMany", keys }]
        : keys.map((key) => ({ kind: "write", key }));
    const payloadSeed = payloads.fork(requestId).nextInt(2 ** 31);
    return { requestId, functions: [operations], writeSet: keys.toSorted(), payloadSeed };
  };

  return {
    parameters: { name: "write-only", ...parameters, seed },
    valueBytes: parameters.valueBytes,
    keys: function* keysOf() {
      for (let rank = 0; rank < keyCount; rank += 1) yield keyName(rank);
    },
    request,
  };
}
