/**
 * Goal    Every state system does what its port says, and keeps what it promises, over real servers.
 * Method  The one contract of `state.contract.ts`, over what the harness starts.
 */
import { describe } from "vitest";
import { startTransactionFront } from "./dynamodb-transactions/start.ts";
import { startRedis } from "./redis.ts";
import { startReplica } from "./replica.ts";
import { startStorageService } from "./registry.ts";
import { hasRedis, redisMissing } from "./testing.ts";
import { describeSystem, overStore } from "./testing/describe-system.ts";

describeSystem("direct over lmdb", () => startStorageService("lmdb"), overStore("direct"));

describeSystem(
  "aft over lmdb, each request once",
  () => startStorageService("lmdb"),
  async ({ target }) => {
    const service = await startReplica({ storage: { target } });
    const options = { endpoint: service.endpoint, exactlyOnce: true };
    return { spec: { system: "aft", options }, service };
  },
);

describeSystem(
  "dynamodb-txn over dynalite and its transactions",
  () => startStorageService("dynamodb"),
  async ({ target }) => {
    if (target.engine !== "dynamodb") throw new Error("dynalite is a DynamoDB");
    const service = await startTransactionFront(target);
    const options = { storage: { target: service.target } };
    return { spec: { system: "dynamodb-txn", options }, service };
  },
);

describe.skipIf(!hasRedis())(`over redis (skipped if ${redisMissing})`, () => {
  describeSystem("redis-multi over TCP", () => startRedis(), overStore("redis-multi"));
  describeSystem(
    "redis-multi over a Unix socket",
    () => startRedis({ transport: "unix" }),
    overStore("redis-multi"),
  );
  describeSystem("redis-occ", () => startRedis(), overStore("redis-occ"));
  describeSystem("step-log", () => startRedis(), overStore("step-log"));
});
