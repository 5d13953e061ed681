/**
 * @module Fills a store with committed transactions, as replicas would have left it, before a cluster
 * starts on it: what a replacement has to read while it joins.
 *
 * Each wrote one key of its own, so none is superseded and none is collected. Written through the
 * storage engine and the protocol's own codec, in large batches and without emulated latency.
 */
import { createSystemClock } from "#kit/node/system-clock.ts";
import { requestTag } from "#kit/node/request-tag.ts";
import { createPrng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import type { Names } from "#shim/aft/protocol/names.ts";
import { encodeOutcome } from "#shim/aft/protocol/record-codec.ts";
import { key, withRequestTag } from "#shim/aft/protocol/types.ts";
import type { StorageEntry } from "#shim/storage/port.ts";
import { openStorage } from "#shim/storage/registry.ts";
import type { StorageSpec } from "#shim/storage/target.ts";

const batch = 2_000;
/** How long ago the oldest was committed; each is younger than the one before. */
const ageMs = 3_600_000;
const prngSeed = 7;

/** Rejects with a `StorageError`. Names and contents depend on the time, and on nothing else. */
export async function preloadCommits(options: {
  readonly storage: StorageSpec;
  readonly names: Names;
  readonly count: number;
}): Promise<void> {
  const { storage, names, count } = options;
  const clock = createSystemClock();
  const engine = await openStorage({ target: storage.target }, { clock });
  const prng = createPrng(prngSeed);
  const startMs = clock.nowMs() - ageMs;
  try {
    for (let start = 0; start < count; start += batch) {
      const entries: StorageEntry[] = [];
      for (let index = start; index < Math.min(count, start + batch); index += 1) {
        const requestId = `preloaded-${index}`;
        const atMs = startMs + Math.floor((index * ageMs) / (2 * count));
        const tag = requestTag(Buffer.from(requestId));
        const uuid = withRequestTag(createUuid(atMs, prng), tag);
        const written = key(`preloaded-${index}`);
        const id = { timestampUs: atMs * 1_000, uuid };
        const record = { id, writeSet: new Set([written]), requestId };
        entries.push(
          { key: names.version(written, uuid), value: Buffer.from(requestId) },
          { key: names.commit(uuid), value: encodeOutcome({ kind: "committed", record }) },
        );
      }
      await engine.multiPut(entries);
    }
  } finally {
    await engine.close();
  }
}
