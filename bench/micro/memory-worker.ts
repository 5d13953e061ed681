/**
 * @module A process of its own, so that its memory is one replica's.
 *
 *   fill TARGET COUNT             stores COUNT commits of one key each, data included
 *   recover TARGET                starts a replica there; prints one JSON line (`Recovered`)
 *   index TRANSACTIONS KEYS-EACH VERSIONS-OF-A-KEY
 *                                 a version index of that shape; prints one JSON line (`Held`)
 *
 * Needs `--expose-gc`: memory is read after a full collection.
 */
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { createNames } from "#shim/aft/protocol/names.ts";
import { encodeOutcome } from "#shim/aft/protocol/record-codec.ts";
import { VersionIndex } from "#shim/aft/protocol/version-index.ts";
import { createReplica } from "#shim/aft/replica/replica.ts";
import type { StorageEntry } from "#shim/storage/port.ts";
import { openStorage } from "#shim/storage/registry.ts";
import type { StorageTarget } from "#shim/storage/target.ts";
import { recordOf } from "./parts-path.ts";

export interface Recovered {
  readonly transactions: number;
  readonly seconds: number;
  readonly heapBytes: number;
  /** Of the process, after a collection, and at its highest. */
  readonly residentBytes: number;
  readonly peakBytes: number;
}

export interface Held {
  readonly transactions: number;
  readonly versions: number;
  readonly heapBytes: number;
}

const batch = 1_000;
const clock = createSystemClock();
const [mode, first = "", second = "", third = ""] = process.argv.slice(2);
if (mode === "fill") await fill(JSON.parse(first) as StorageTarget, Number(second));
else if (mode === "recover")
  console.log(JSON.stringify(await recover(JSON.parse(first) as StorageTarget)));
else console.log(JSON.stringify(hold(Number(first), Number(second), Number(third))));

async function fill(target: StorageTarget, count: number): Promise<void> {
  const engine = await openStorage({ target }, { clock });
  const names = createNames("aft");
  try {
    for (let start = 0; start < count; start += batch) {
      const entries: StorageEntry[] = [];
      for (let index = start; index < Math.min(start + batch, count); index += 1) {
        const record = recordOf(index + 1, [`user/${index}`]);
        const { uuid } = record.id;
        for (const key of record.writeSet)
          entries.push({ key: names.version(key, uuid), value: Buffer.from(`value ${index}`) });
        entries.push({
          key: names.commit(uuid),
          value: encodeOutcome({ kind: "committed", record }),
        });
      }
      await engine.multiPut(entries);
    }
  } finally {
    await engine.close();
  }
}

async function recover(target: StorageTarget): Promise<Recovered> {
  const engine = await openStorage({ target }, { clock });
  const begin = performance.now();
  const replica = await createReplica({
    storage: engine,
    clock,
    prng: createPrng(1),
    settings: { orphanSweepMs: 0 },
  });
  const seconds = (performance.now() - begin) / 1_000;
  const heapBytes = heapAfterCollection();
  const result = {
    transactions: replica.stats().knownTransactions,
    seconds,
    heapBytes,
    residentBytes: process.memoryUsage.rss(),
    peakBytes: process.resourceUsage().maxRSS * 1_024,
  };
  await replica.close();
  await engine.close();
  return result;
}

function hold(transactions: number, keysEach: number, versionsOfAKey: number): Held {
  const keyCount = Math.max(1, Math.ceil((transactions * keysEach) / versionsOfAKey));
  const keys = Array.from({ length: keyCount }, (_unused, index) => `user/${index}`);
  const before = heapAfterCollection();
  const index = new VersionIndex();
  for (let at = 0; at < transactions; at += 1) {
    const from = at * keysEach;
    const written = Array.from(
      { length: keysEach },
      (_unused, step) => keys[(from + step) % keyCount] ?? "",
    );
    index.add(recordOf(at + 1, written));
  }
  const heapBytes = heapAfterCollection() - before;
  return { transactions: index.transactionCount, versions: transactions * keysEach, heapBytes };
}

function heapAfterCollection(): number {
  if (globalThis.gc === undefined) throw new Error("memory-worker.ts needs --expose-gc");
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
