/** @module Parts of `micro parts` that many commits go through at once: what peers say, and collection. */
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { decodeMessage, encodePeer } from "#shim/aft/cluster/codec.ts";
import { createNames } from "#shim/aft/protocol/names.ts";
import { isSuperseded } from "#shim/aft/protocol/superseded.ts";
import type { CommitRecord } from "#shim/aft/protocol/types.ts";
import { VersionIndex } from "#shim/aft/protocol/version-index.ts";
import { Collector } from "#shim/aft/replica/collector.ts";
import { createDataCache } from "#shim/aft/replica/data-cache.ts";
import { defaultReplicaSettings } from "#shim/aft/replica/options.ts";
import { createReplica } from "#shim/aft/replica/replica.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import type { Part } from "./parts.ts";
import { recordOf } from "./parts-path.ts";

const clock = createSystemClock();
const prng = createPrng(2);

/** @param size  Commits that are heard of, or collected, at once. */
export function clusterParts(size: number): Part[] {
  const records = Array.from({ length: size }, (_unused, at) =>
    recordOf(at + 1, [`key-${at}`, `key-${(at * 7 + 1) % size}`]),
  );
  return [
    {
      id: `encode-${size}-commits`,
      per: "record",
      exactly: size,
      block: () => () => void encodePeer({ kind: "tell", records }),
    },
    {
      id: `decode-${size}-commits`,
      per: "record",
      exactly: size,
      block: () => {
        const text = encodePeer({ kind: "tell", records });
        return () => void decodeMessage(text);
      },
    },
    merging(records),
    pruning(records),
    sweeping(records),
  ];
}

/** Commits of others enter a replica that knows as many, each superseding one. */
function merging(records: readonly CommitRecord[]): Part {
  return {
    id: `merge-${records.length}-commits`,
    per: "record",
    exactly: records.length,
    block: async () => {
      const replica = await createReplica({
        storage: createMemoryEngine(),
        clock,
        prng: prng.fork("replica"),
        settings: { orphanSweepMs: 0, storageGc: "off" },
      });
      replica.peers.merge(records);
      const newer = records.map(({ writeSet }, at) =>
        recordOf(records.length + at + 1, [...writeSet]),
      );
      return async () => {
        const news = replica.peers.merge(newer);
        if (news !== records.length) throw new Error(`${news} of ${records.length} were news`);
        await replica.close();
      };
    },
  };
}

/** Which of our commits need not be told (AFT §4.1, Algorithm 2). */
function pruning(records: readonly CommitRecord[]): Part {
  return {
    id: `prune-${records.length}-commits`,
    per: "record",
    exactly: records.length,
    block: () => {
      const index = new VersionIndex();
      for (const record of records) index.add(record);
      return () => {
        let superseded = 0;
        for (const record of records) if (isSuperseded(record, index)) superseded += 1;
        if (superseded === records.length) throw new Error("the newest cannot be superseded");
      };
    },
  };
}

/** All of them superseded and no reader left: metadata, cache and storage. */
function sweeping(records: readonly CommitRecord[]): Part {
  return {
    id: `collect-${records.length}-commits`,
    per: "record",
    exactly: records.length,
    block: () => {
      const index = new VersionIndex();
      for (const record of records) index.add(record);
      const newer = records.map(({ writeSet }, at) =>
        recordOf(records.length + at + 1, [...writeSet]),
      );
      const collector = new Collector({
        index,
        cache: createDataCache(1_048_576),
        engine: createMemoryEngine(),
        names: createNames("aft"),
        clock,
        // By hand only.
        settings: { ...defaultReplicaSettings, gcIntervalMs: 3_600_000 },
        oldestOpenBegin: () => Infinity,
        onIncident: ({ message, cause }) => {
          throw new Error(message, { cause });
        },
      });
      let due = 0;
      for (const record of newer) {
        const superseded = index.add(record);
        due += superseded.length;
        collector.supersede(superseded, 0);
      }
      if (due < records.length) throw new Error(`only ${due} of ${records.length} to collect`);
      return async () => {
        while (collector.collectedTotal < due) await collector.collectOnce();
        collector.close();
      };
    },
  };
}
