/**
 * Goal    `dynamodb-txn` keeps what it says beyond the contract: lost answers, limits, clocks that differ.
 * Method  The system itself over dynalite and the transactions before it.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { TransactionTable } from "#shim/dynamodb-txn/table.ts";
import { createTxnSystem } from "#shim/dynamodb-txn/txn-system.ts";
import { defaultMaxContextBytes } from "#shim/state/carried.ts";
import type { StateSystem } from "#shim/state/port.ts";
import { createClient } from "#shim/storage/dynamodb/engine.ts";
import { startDynalite } from "../aws-emulators.ts";
import type { StorageService } from "../port.ts";
import { type LossyRelay, startLossyRelay } from "../testing/lossy-relay.ts";
import { startTransactionFront } from "./start.ts";

const clock = createSystemClock();
let store: StorageService;
let front: StorageService;
let relay: LossyRelay;
let system: StateSystem;

/** `aheadMs`: by which its clock is wrong. */
function open(port: number, aheadMs = 0): StateSystem {
  const { target } = store;
  if (target.engine !== "dynamodb") throw new Error("dynalite is a DynamoDB");
  const client = createClient({ ...target, endpoint: `http://127.0.0.1:${port}` });
  return createTxnSystem({
    table: new TransactionTable(client, target.table),
    clock: { ...clock, nowMs: () => clock.nowMs() + aheadMs },
    prng: createPrng(aheadMs + 1),
    maxContextBytes: defaultMaxContextBytes,
  });
}

function portOf({ description }: StorageService): number {
  return Number(new URL(String(description["endpoint"])).port);
}

beforeAll(async () => {
  store = await startDynalite();
  if (store.target.engine !== "dynamodb") throw new Error("dynalite is a DynamoDB");
  front = await startTransactionFront(store.target);
  relay = await startLossyRelay(portOf(front));
  system = open(relay.port);
});
afterAll(async () => {
  await system.close();
  await relay.stop();
  await front.stop();
  await store.stop();
});

let names = 0;
const fresh = (): string => `name-${(names += 1)}`;
const bytes = (text: string): Uint8Array => Buffer.from(text);

async function read(key: string, from = system): Promise<string | undefined> {
  const value = await from.begin({ requestId: fresh() }).get(key);
  return value === undefined ? undefined : Buffer.from(value).toString();
}

async function write(key: string, text: string, by = system) {
  const session = by.begin({ requestId: fresh() });
  await session.put(key, bytes(text));
  return session.commit();
}

describe("dynamodb-txn", () => {
  it("asks again for an answer that was lost, and nothing is done twice", async () => {
    const key = fresh();
    const before = system.counters?.().calls ?? 0;
    const session = system.begin({ requestId: fresh() });
    await session.put(key, bytes("once"));
    relay.loseNextAnswer();
    expect(await session.commit()).toMatchObject({ kind: "committed" });
    expect((system.counters?.().calls ?? 0) - before).toBe(1);
    expect(await read(key)).toBe("once");
  });

  it("does not know what became of a commit when nobody answers", async () => {
    const own = await startLossyRelay(portOf(front));
    const cut = open(own.port);
    const session = cut.begin({ requestId: fresh() });
    await session.put(fresh(), bytes("v"));
    await own.stop();
    const context = await session.suspend();
    expect(await session.commit()).toMatchObject({ kind: "unknown" });
    await cut.close();
    expect(await system.outcomeOf(context)).toMatchObject({ kind: "unknown" });
  });

  it("commits 99 keys together, refuses the 100th and values above 400 KB, and has written nothing then", async () => {
    const keys = Array.from({ length: 100 }, fresh);
    const session = system.begin({ requestId: fresh() });
    await session.putMany(keys.slice(1).map((key) => [key, bytes("v")]));
    await expect(session.put(keys[0] ?? "", bytes("v"))).rejects.toMatchObject({
      code: "limit_exceeded",
      disposition: "abort",
    });
    const next = system.resume(await session.suspend());
    await expect(next.put(keys[0] ?? "", bytes("v"))).rejects.toMatchObject({
      code: "limit_exceeded",
    });
    await expect(next.put(keys[1] ?? "", new Uint8Array(410_000))).rejects.toMatchObject({
      code: "limit_exceeded",
    });
    expect(await read(keys[1] ?? "")).toBeUndefined();
    expect(await next.commit()).toMatchObject({ kind: "committed" });
    expect(await read(keys[99] ?? "")).toBe("v");
  });

  it("lets transactions of the same keys commit one after the other, in the order they say", async () => {
    const [x, y] = [fresh(), fresh()];
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, async (_unused, index) => {
        const session = system.begin({ requestId: fresh() });
        await session.putMany([
          [x, bytes(`${index}`)],
          [y, bytes(`${index}`)],
        ]);
        return session.commit();
      }),
    );
    const orders = outcomes.flatMap((outcome, index) =>
      outcome.kind === "committed" ? [[outcome.commitOrder ?? "", `${index}`] as const] : [],
    );
    expect(orders.length).toBeGreaterThan(1);
    const [, last] = orders.toSorted(([a], [b]) => (a < b ? -1 : 1)).at(-1) ?? [];
    expect(await Promise.all([read(x), read(y)])).toEqual([last, last]);
  });

  it("orders versions by their commits where clocks differ by an hour", async () => {
    const ahead = open(relay.port, 3_600_000);
    const key = fresh();
    const first = await write(key, "ahead", ahead);
    const second = await write(key, "behind");
    await ahead.close();
    const order = (outcome: Awaited<ReturnType<typeof write>>): string =>
      (outcome.kind === "committed" && outcome.commitOrder) || "";
    expect(order(second) > order(first)).toBe(true);
    expect(await read(key)).toBe("behind");
  });

  it("reads of several keys at once never see half of a transaction", async () => {
    const [x, y] = [fresh(), fresh()];
    const both = (text: string): [string, Uint8Array][] => [
      [x, bytes(text)],
      [y, bytes(text)],
    ];
    const writer = (async () => {
      for (let turn = 0; turn < 20; turn += 1) {
        const session = system.begin({ requestId: fresh() });
        await session.putMany(both(String(turn)));
        await session.commit();
      }
    })();
    for (let turn = 0; turn < 20; turn += 1) {
      const reader = system.begin({ requestId: fresh() });
      const [a, b] = await reader.getMany([x, y]).catch(() => []);
      expect(Buffer.from(a ?? []).toString()).toBe(Buffer.from(b ?? []).toString());
    }
    await writer;
  });
});
