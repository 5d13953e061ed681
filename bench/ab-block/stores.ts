/** @module A store for each side of a comparison: replicas that share one would collect each other's data. */
import type { Scope } from "#harness/experiment/scope.ts";
import { startLmdb } from "#harness/services/local-stores.ts";
import { startRedis } from "#harness/services/redis.ts";
import { type Side, sides } from "./interleave.ts";

export const abStores = ["memory", "lmdb", "redis"] as const;
export type AbStore = (typeof abStores)[number];

/** Addresses as `serve --storage` takes them. Rejects with `NotAvailableError` without redis-server. */
export async function openStores(store: AbStore, scope: Scope): Promise<Record<Side, string>> {
  switch (store) {
    case "memory":
      return { base: "memory:", baseAgain: "memory:", candidate: "memory:" };
    case "lmdb": {
      const urls: string[] = [];
      for (const _side of sides) {
        const { target } = scope.own(await startLmdb());
        urls.push(target.engine === "lmdb" ? `lmdb:${target.directory}` : "");
      }
      const [base = "", baseAgain = "", candidate = ""] = urls;
      return { base, baseAgain, candidate };
    }
    case "redis": {
      // One server, so that the machine carries one; a database each.
      const { target } = scope.own(await startRedis());
      const url = target.engine === "redis" ? (target.urls[0] ?? "") : "";
      return { base: `${url}/0`, baseAgain: `${url}/1`, candidate: `${url}/2` };
    }
  }
}
