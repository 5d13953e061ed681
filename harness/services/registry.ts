/** @module The stores the suite can start for itself: one line each. */
import { ConfigError } from "#kit/errors.ts";
import { startDynalite, startS3 } from "./aws-emulators.ts";
import { startEtcd } from "./etcd.ts";
import { startLmdb, startMemory } from "./local-stores.ts";
import { startOutsideStore } from "./outside-store.ts";
import type { StorageService } from "./port.ts";
import { startPostgres } from "./postgres.ts";
import { startRedisCluster } from "./redis-cluster.ts";
import { startRedis } from "./redis.ts";
import { startRestate } from "./restate.ts";
import { startWorkerd } from "./workerd.ts";

const services = {
  memory: startMemory,
  lmdb: startLmdb,
  redis: () => startRedis(),
  "redis-cluster": startRedisCluster,
  dynamodb: startDynalite,
  s3: startS3,
  postgres: () => startPostgres(),
  etcd: startEtcd,
  restate: startRestate,
  workerd: startWorkerd,
} satisfies Readonly<Record<string, () => Promise<StorageService>>>;

/** A store the suite can start for itself, by name. */
export type StorageServiceName = keyof typeof services;

export const storageServiceNames = Object.keys(services) as readonly StorageServiceName[];

/**
 * Starts a fresh, empty store, from outside this repository if it has a `modulePath`. Rejects with
 * `NotAvailableError` when its server is not installed, `ConfigError` for an unknown name.
 */
export function startStorageService(name: string, modulePath?: string): Promise<StorageService> {
  if (modulePath !== undefined) return startOutsideStore(modulePath);
  const known = storageServiceNames.find((one) => one === name);
  if (known !== undefined) return services[known]();
  const hint = `known: ${storageServiceNames.join(", ")}`;
  return Promise.reject(
    new ConfigError([{ where: "storage", what: `unknown store "${name}"`, hint }]),
  );
}
