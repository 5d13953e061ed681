/** @module The stores the suite can start for itself: one line each. */
import { startDynalite, startS3 } from "./aws-emulators.ts";
import { startEtcd } from "./etcd.ts";
import { startLmdb, startMemory } from "./local-stores.ts";
import type { StorageService } from "./port.ts";
import { startPostgres } from "./postgres.ts";
import { startRedisCluster } from "./redis-cluster.ts";
import { startRedis } from "./redis.ts";

const services = {
  memory: startMemory,
  lmdb: startLmdb,
  redis: () => startRedis(),
  "redis-cluster": startRedisCluster,
  dynamodb: startDynalite,
  s3: startS3,
  postgres: () => startPostgres(),
  etcd: startEtcd,
} satisfies Readonly<Record<string, () => Promise<StorageService>>>;

/** A store the suite can start for itself, by name. */
export type StorageServiceName = keyof typeof services;

export const storageServiceNames = Object.keys(services) as readonly StorageServiceName[];

/** Starts a fresh, empty store. Rejects with `NotAvailableError` when its server is not installed. */
export function startStorageService(name: StorageServiceName): Promise<StorageService> {
  return services[name]();
}
