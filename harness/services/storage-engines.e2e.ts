/**
 * Goal    Every engine keeps the storage contract against its real server.
 * Method  The one suite of `storage.contract.ts`, over what the harness starts.
 */
import { describe } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { openStorage } from "#shim/storage/registry.ts";
import type { OpenForContract } from "#shim/storage/storage.contract.ts";
import { describeStorageContract } from "#shim/storage/testing/describe-storage-contract.ts";
import type { StorageService } from "./port.ts";
import { startRedis } from "./redis.ts";
import { startStorageService } from "./registry.ts";
import { hasRedis, redisMissing } from "./testing.ts";

const clock = createSystemClock();

function over(start: () => Promise<StorageService>): OpenForContract {
  return async () => {
    const service = await start();
    const again = () => openStorage({ target: service.target }, { clock });
    return { engine: await again(), again, cleanUp: () => service.stop() };
  };
}

describeStorageContract(
  "lmdb",
  over(() => startStorageService("lmdb")),
);
describeStorageContract(
  "dynamodb on dynalite",
  over(() => startStorageService("dynamodb")),
);
describeStorageContract(
  "s3 on fauxqs",
  over(() => startStorageService("s3")),
);

describe.skipIf(!hasRedis())(`redis (skipped if ${redisMissing})`, () => {
  describeStorageContract(
    "redis over TCP",
    over(() => startRedis()),
  );
  describeStorageContract(
    "redis over a Unix socket",
    over(() => startRedis({ transport: "unix" })),
  );
  describeStorageContract(
    "redis cluster",
    over(() => startStorageService("redis-cluster")),
  );
});
