/**
 * Goal    kill -9 of a replica at any point: after a restart on the same storage every acknowledged
 *         commit is there, whole, and nothing unacknowledged is half there.
 * Method  Writers put the same number under two keys in each transaction; the replica is killed at a
 *         seeded moment; a new one on the same store must show, for every pair, equal numbers, at
 *         least the last acknowledged one, and it must say of every transaction what its data says.
 *         25 rounds for each store, 50 in all; AFT_BENCH_LONG=1: 50 for each.
 */
import { describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import type { StateSystem } from "#shim/state/port.ts";
import type { StorageService } from "./port.ts";
import { startRedis } from "./redis.ts";
import { startStorageService } from "./registry.ts";
import { type ReplicaService, startReplica } from "./replica.ts";
import { hasRedis, redisMissing } from "./testing.ts";

const rounds = process.env["AFT_BENCH_LONG"] === "1" ? 50 : 25;
const writers = 6;
const longestRunMs = 60;
const seed = Number(process.env["SEED"] ?? 9);

/** What one writer knows of its pair of keys. */
interface Pair {
  readonly keys: readonly [string, string];
  next: number;
  acknowledged: number;
}

describe("kill -9 of the replica", () => {
  it(`over lmdb, ${rounds} times`, () => crashRounds(() => startStorageService("lmdb")));
  it.skipIf(!hasRedis())(`over redis, ${rounds} times (skipped if ${redisMissing})`, () =>
    crashRounds(() => startRedis()),
  );
});

async function crashRounds(start: () => Promise<StorageService>): Promise<void> {
  const store = await start();
  const prng = createPrng(seed);
  const pairs = Array.from({ length: writers }, (_unused, writer): Pair => ({
    keys: [`left-${writer}`, `right-${writer}`],
    next: 1,
    acknowledged: 0,
  }));
  let acknowledgedInAll = 0;
  let lost = 0;
  try {
    for (let round = 0; round < rounds; round += 1) {
      const replica = await startReplica({
        storage: { target: store.target },
        // Small, so that some transactions spill before they commit.
        settings: { maxBufferBytes: 4_096 },
      });
      const system = await open(replica);
      await verify(system, pairs);
      const killed = { now: false };
      const writing = pairs.map((pair) => write(system, pair, killed));
      await new Promise((resolve) => {
        setTimeout(resolve, 5 + prng.nextInt(longestRunMs));
      });
      killed.now = true;
      replica.kill();
      await replica.exited;
      const unresolved = await Promise.all(writing);
      lost += unresolved.filter(Boolean).length;
      await system.close();
      await replica.stop();
    }
    const last = await startReplica({ storage: { target: store.target } });
    const system = await open(last);
    await verify(system, pairs);
    acknowledgedInAll = pairs.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    await system.close();
    await last.stop();
  } finally {
    await store.stop();
  }
  // The kills must have hit transactions, and transactions must have got through.
  expect(acknowledgedInAll).toBeGreaterThan(rounds);
  expect(lost).toBeGreaterThan(rounds / 2);
}

function open(replica: ReplicaService): Promise<StateSystem> {
  return openStateSystem({
    system: "aft",
    options: { endpoint: replica.endpoint, timeoutMs: 500 },
  });
}

/** Writes until killed; whether it was in the middle of a transaction then. */
async function write(system: StateSystem, pair: Pair, killed: { now: boolean }): Promise<boolean> {
  while (!killed.now) {
    const number = pair.next;
    pair.next += 1;
    const session = system.begin({ requestId: `n${number}` });
    try {
      await session.get(pair.keys[0]);
      const value = Buffer.from(`${number}:${"x".repeat(1_000)}`);
      for (const key of pair.keys) await session.put(key, value);
      const outcome = await Promise.race([session.commit(), gone(killed)]);
      if (outcome?.kind !== "committed") return true;
      pair.acknowledged = number;
    } catch {
      return true;
    }
  }
  return false;
}

/** Soon after the kill nobody waits for an answer any more. */
function gone(killed: { readonly now: boolean }): Promise<undefined> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!killed.now) return;
      clearInterval(timer);
      setTimeout(() => {
        resolve(undefined);
      }, 20);
    }, 5);
  });
}

async function verify(system: StateSystem, pairs: readonly Pair[]): Promise<void> {
  for (const { keys, acknowledged, next } of pairs) {
    const session = system.begin({ requestId: "verify" });
    const [left, right] = (await session.getMany(keys)).map((value) =>
      value === undefined ? 0 : Number.parseInt(String(value), 10),
    );
    await session.commit();
    expect(left).toBe(right);
    expect(left).toBeGreaterThanOrEqual(acknowledged);
    expect(left).toBeLessThan(next);
  }
}
