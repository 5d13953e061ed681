/**
 * Goal    Every state system does what its port says, and keeps what it promises, over real servers.
 * Method  The one contract of `state.contract.ts`, over what the harness starts.
 */
import { describe } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { describeContract } from "#kit/testing/describe-contract.ts";
import { loadStateSystem, openStateSystem, type StateSystemSpec } from "#shim/state/registry.ts";
import { openStateContract, stateContract } from "#shim/state/state.contract.ts";
import { startTransactionFront } from "./dynamodb-transactions/start.ts";
import type { Service, StorageService } from "./port.ts";
import { startRedis } from "./redis.ts";
import { startReplica } from "./replica.ts";
import { startStorageService } from "./registry.ts";
import { hasRedis, redisMissing } from "./testing.ts";

const clock = createSystemClock();

/** `system` says how to open it once the store is up, and what else must be stopped before the store. */
function describeSystem(
  title: string,
  start: () => Promise<StorageService>,
  system: (
    store: StorageService,
  ) => Promise<{ readonly spec: StateSystemSpec; readonly service?: Service }>,
): void {
  describeContract(`state contract: ${title}`, stateContract, async () => {
    const store = await start();
    const { spec, service } = await system(store);
    const module = await loadStateSystem(spec);
    const { subject, cleanUp } = await openStateContract({
      promises: module.promisesWith?.(spec.options) ?? module.promises,
      clock,
      open: () => openStateSystem(spec),
    });
    return {
      subject,
      cleanUp: async () => {
        await cleanUp();
        await service?.stop();
        await store.stop();
      },
    };
  });
}

const overStore =
  (name: string, options: Readonly<Record<string, unknown>> = {}) =>
  ({ target }: StorageService) =>
    Promise.resolve({ spec: { system: name, options: { storage: { target }, ...options } } });

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

describe.skipIf(!hasRedis())(`over redis (needs it; ${redisMissing})`, () => {
  describeSystem("redis-multi over TCP", () => startRedis(), overStore("redis-multi"));
  describeSystem(
    "redis-multi over a Unix socket",
    () => startRedis({ transport: "unix" }),
    overStore("redis-multi"),
  );
  describeSystem("redis-occ", () => startRedis(), overStore("redis-occ"));
  describeSystem("step-log", () => startRedis(), overStore("step-log"));
});
